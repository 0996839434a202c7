"""Counted cells of one part and group, looked up by what they count."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from services.projections.metrics.queries import Cell

_Field = Literal["kind", "word", "category"]


class Counted:
    """Cells of one part and group."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.cells = tuple(cells)

    def sum(self, kind: str, word: str | None = None, ended: str | None = None) -> int:
        """Return how many there are; None means any."""
        return sum(
            cell.n
            for cell in self.cells
            if cell.kind == kind
            and word in {None, cell.word}
            and ended in {None, cell.ended}
        )

    def by(self, kind: str, of: Literal["word", "ended"]) -> dict[str, int]:
        """Return how many there are of a kind, by the value of a field."""
        counted: Counter[str] = Counter()
        for cell in self.cells:
            if cell.kind == kind:
                counted[getattr(cell, of) or ""] += cell.n
        return dict(sorted(counted.items()))

    def where(self, field: _Field, value: str | None) -> "Counted":
        """Return the cells with a value in a field."""
        return Counted(cell for cell in self.cells if getattr(cell, field) == value)


def share(part: int, whole: int) -> float | None:
    """Return a share to four places, None of nothing."""
    return round(part / whole, 4) if whole else None
