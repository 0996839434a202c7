"""A mistake in a file that somebody wrote: where it is and what to do."""

from dataclasses import dataclass
from pathlib import Path as FilePath

Path = tuple[str | int, ...]
"""The path to a value: keys of mappings, and indexes of lists from 0."""

Wrong = tuple[Path, str]
"""A path in a document, and a sentence about the value there."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """`line` counts from 1; None for the file as a whole."""

    path: str
    line: int | None
    sentence: str

    def __str__(self) -> str:
        """Return the mistake as one line of text."""
        where = f"line {self.line}" if self.line else ""
        return ": ".join(part for part in (where, self.path, self.sentence) if part)


class DamagedFile(Exception):
    """A file that belongs to the program is damaged; a service does not start with it.

    Its message says where the damage is, and what to do.
    """

    def __init__(self, file: FilePath, line: int | None, sentence: str) -> None:
        """Say what is wrong with a file, and in which line if that is known."""
        where = f"line {line} of {file}" if line else str(file)
        super().__init__(f"{where}: {sentence}")


def path_text(path: Path) -> str:
    """Return a path in its usual notation: `escalation.functional[1].after`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
