"""What PostgreSQL and NATS say, in a file: they report at every start what is no fault.

`FATAL: the database system is starting up` and `Plaintext passwords detected` are two
of them. Who runs a desk sees a line per step instead, and the file's name if one fails.
"""

from collections import deque
from contextlib import suppress
from pathlib import Path

from standalone.folder import write_private

BYTES_MAX = 10_000_000
"""How large the file may become; then it begins again, and the one before is kept."""
LAST_LINES = 5
"""How many lines of a server that does not start are shown."""


class ServersLog:
    """The file `servers.log` in the folder of a desk."""

    def __init__(self, home: Path) -> None:
        self.path = home / "servers.log"
        self._size = 0
        self._last: dict[str, deque[str]] = {}
        self._begin()

    def write(self, name: str, line: str) -> None:
        """Write a line of a server. A full disk is reported by others, and loses it."""
        self._last.setdefault(name, deque(maxlen=LAST_LINES)).append(line)
        text = f"{name} │ {line}\n"
        if self._size + len(text) > BYTES_MAX:
            self._begin()
        with suppress(OSError), self.path.open("a", encoding="utf-8") as file:
            self._size += file.write(text)

    def last_of(self, name: str) -> str:
        """Return the last lines of a server, and where the others are; "" for none."""
        said = "".join(f"\n  {line}" for line in self._last.get(name, ()))
        return f"\nThe last that it said, of {self.path}:{said}" if said else ""

    def _begin(self) -> None:
        self._size = 0
        with suppress(OSError):
            self.path.replace(self.path.with_suffix(".log.1"))
        with suppress(OSError):
            write_private(self.path, "")
