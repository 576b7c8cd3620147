"""Text from files on a console: nothing in it is a command to the terminal."""

from rich.console import Console
from rich.text import Text


def shown(console: Console, text: str) -> str:
    """Return untrusted text without control sequences and without what the terminal cannot show."""
    encoding = console.encoding
    known = text.encode(encoding, "backslashreplace").decode(encoding)
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in known)


def print_text(console: Console, text: str, style: str = "", end: str = "\n") -> None:
    """Print untrusted text."""
    console.print(Text(shown(console, text), style), end=end, soft_wrap=True)
