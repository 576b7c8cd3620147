"""ONNX Runtime with fastleaky's kernels: an execution provider that takes PRelu and LeakyRelu out of unmodified models.

Register it once, and name it in front of the CPU provider, which keeps all other nodes::

    import onnxruntime
    import fastleaky.onnxruntime

    fastleaky.onnxruntime.register()
    providers = ["FastleakyExecutionProvider", "CPUExecutionProvider"]
    session = onnxruntime.InferenceSession("model.onnx", providers=providers)

The provider is a library in C without Python, so programs in C++ can register it too: see :func:`library`.
"""

import os
import re
import sys
import threading
from typing import Any

from fastleaky._backends import native
from fastleaky._extras import extra

with extra("onnxruntime"):
    import onnxruntime

__all__ = ["NAME", "library", "register", "session"]

NAME = "FastleakyExecutionProvider"
BOTH = [NAME, "CPUExecutionProvider"]  # if the second is not named, ONNX Runtime warns that nodes are left to it
OLDEST = (1, 24)
_registering = threading.Lock()


def library() -> str:
    """Return the path of the provider's library.

    In C++, ``Ort::Env::RegisterExecutionProviderLibrary("fastleaky", path)`` registers it, and
    ``Ort::SessionOptions::AppendExecutionProvider_V2`` takes its device.

    Raises
    ------
    ImportError
        If fastleaky was installed without a C compiler, or on Windows, where there is no provider.
    """
    if sys.platform == "win32":
        raise ImportError("fastleaky.onnxruntime: there is no execution provider for Windows")
    return os.path.join(os.path.dirname(str(native.extension().__file__)), "onnxruntime", "fastleaky_onnxruntime.so")


def register() -> None:
    """Make the provider known to ONNX Runtime, unless it is already.

    From ONNX Runtime 1.25 on, sessions can then ask for ``"FastleakyExecutionProvider"`` by name. In 1.24 they cannot,
    and :func:`session` does what is needed instead.

    Raises
    ------
    ImportError
        As for :func:`library`.
    RuntimeError
        If ONNX Runtime is older than 1.24.
    """
    if tuple(int(number) for number in re.findall(r"\d+", onnxruntime.__version__)[:2]) < OLDEST:
        raise RuntimeError(
            f"fastleaky.onnxruntime needs ONNX Runtime {'.'.join(map(str, OLDEST))} or later, and this is "
            f"{onnxruntime.__version__}: pip install -U onnxruntime"
        )
    with _registering:
        if not _devices(NAME):
            onnxruntime.register_execution_provider_library("fastleaky", library())


def session(model: str | bytes | os.PathLike[str], options: Any = None) -> Any:
    """Create a session that runs PRelu and LeakyRelu by fastleaky, and all else by the CPU provider.

    Parameters
    ----------
    model : path or bytes
        The model, as for ``onnxruntime.InferenceSession``.
    options : onnxruntime.SessionOptions, optional
        Its options. They should not name providers. With ONNX Runtime 1.24 the provider is added to them.

    Returns
    -------
    onnxruntime.InferenceSession
        The session.

    Raises
    ------
    ImportError, RuntimeError
        As for :func:`register`; and whatever ONNX Runtime raises for the model.
    """
    register()
    if NAME in onnxruntime.get_available_providers():
        return onnxruntime.InferenceSession(model, options, providers=BOTH)
    options = options or onnxruntime.SessionOptions()  # ONNX Runtime 1.24 takes no plugin by its name
    if not options.has_providers():
        for name in BOTH:
            options.add_provider_for_devices(_devices(name), {})
    return onnxruntime.InferenceSession(model, options)


def _devices(provider: str) -> list[Any]:
    return [device for device in onnxruntime.get_ep_devices() if device.ep_name == provider]
