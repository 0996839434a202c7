"""A wrong clock for whole processes: libfaketime, where Debian's package is there."""

from collections.abc import Mapping
from pathlib import Path

LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"
MISSING = "needs libfaketime: apt-get install faketime"


def library() -> Path | None:
    """Return libfaketime, None where it is not installed."""
    pattern = LIBRARIES.removeprefix("/")
    return next(iter(sorted(Path("/").glob(pattern))), None)


class HostClock:
    """The clock of a host, which a test sets while its processes run.

    Only the time of day moves: the monotonic clock goes on as it should.
    """

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """Let it be ahead of the true time by so much; behind if negative."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+f}\n", encoding="ascii")
        fresh.replace(self._file)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process on this host is started with."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
