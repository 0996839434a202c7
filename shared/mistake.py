"""What is wrong in a file somebody wrote, where, and what to do about it."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and, from 0, places in lists."""

Wrong = tuple[Path, str]
"""A place in a document, and a sentence about what is there."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """`line` counts from 1; none where the file as a whole is meant."""

    path: str
    line: int | None
    sentence: str

    def __str__(self) -> str:
        """Return the mistake as one line of text."""
        where = f"line {self.line}" if self.line else ""
        return ": ".join(part for part in (where, self.path, self.sentence) if part)


def path_text(path: Path) -> str:
    """Return a path as people write it: `escalation.functional[1].after`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
