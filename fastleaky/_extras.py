"""How the doors to other frameworks import them: where one is missing, the error says what to install."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def extra(name: str) -> Iterator[None]:
    """Import a framework in this block, for ``fastleaky.NAME`` with the extra of the same name."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ImportError(
            f"fastleaky.{name} needs {error.name}, which is not installed: pip install 'fastleaky[{name}]'"
        ) from error
