"""Which figures of satisfaction are shown: none may tell what a few answered. Pure.

Figures are of whole months of the desk that are over: the difference of two periods, or
of one before and after an answer, would be that answer. Within a month a figure is only
shown if it differs from every other one, also from those that surveys publish, by
enough answers. A longer period is the sum of its months, and needs the figure of each.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple, get_args

from services.projections.metrics.figures import Figures, Satisfaction
from services.projections.metrics.period import Disclosure, GroupBy
from services.projections.metrics.queries import share
from shared.domain.policy.surveys import MIN_ANSWERS, Dimension
from shared.domain.survey.disclosure import AnswerSet, ShownFigures, divided_by

Cell = tuple[str, str | None]
"""A property by which figures are divided, and its value."""
WHOLE: Cell = ("whole", None)
DIMENSIONS = ("service", "client", "team", "channel")
"""What an invitation keeps of its incident, in the order in which it is decided."""
TOO_FEW = f"fewer than {MIN_ANSWERS} answers"
NO_MONTH = "shown for whole months of the desk's time zone that are over"
WITHHELD = "not shown: it would tell what a few people answered"


class Answers(NamedTuple):
    """Answers of a month that have in common all by which figures are divided."""

    month: int
    survey: str
    service: str | None
    client: str | None
    team: str | None
    channel: str | None
    n: int
    satisfied: int

    def is_in(self, cell: Cell) -> bool:
        """Return whether a figure counts these answers."""
        by, name = cell
        return by == "whole" or getattr(self, by) == name


def cell_of(group_by: GroupBy | None, name: str | None) -> Cell:
    """Return the cell of a group; by other properties, answers are in one group."""
    return (group_by, name) if group_by in DIMENSIONS else WHOLE


def shown_cells(answers: Sequence[Answers], given: Disclosure) -> frozenset[Cell]:
    """Return the cells of a month whose figures are shown.

    None of them if a survey has too few answers: the others would give them away.
    """
    surveys = _divided(answers, range(len(answers)), "survey")
    sizes = {name: _size(answers, part) for name, part in surveys.items()}
    if not sizes or any(n < given.of(str(name)) for name, n in sizes.items()):
        return frozenset()
    least = max(given.of(str(name)) for name in surveys)
    shown = ShownFigures([each.n for each in answers], least)
    for name, part in surveys.items():
        shown.add([part])
        for by in (*get_args(Dimension), "client"):
            divided = _divided(answers, part, by)
            hidden = shown.hidden(divided, given.of(str(name)))
            shown.add(shown.following(divided, hidden))
    whole = frozenset(range(len(answers)))
    if shown.tell_apart(whole):
        return frozenset()
    shown.add([whole])
    cells: set[Cell] = {WHOLE}
    for by in DIMENSIONS:
        divided = _divided(answers, whole, by)
        cells |= {(by, name) for name in divided.keys() - shown.divide(divided)}
    return frozenset(cells)


def _divided(
    answers: Sequence[Answers], part: Iterable[int], by: str
) -> Mapping[str | None, AnswerSet]:
    return divided_by([getattr(each, by) for each in answers], part)


def _size(answers: Sequence[Answers], part: Iterable[int]) -> int:
    return sum(answers[each].n for each in part)


class MonthlySatisfaction:
    """The figures of the months [bounds[n], bounds[n + 1])."""

    def __init__(
        self, bounds: Sequence[datetime], answers: Iterable[Answers], given: Disclosure
    ) -> None:
        self._bounds = {at: number for number, at in enumerate(bounds)}
        found: list[list[Answers]] = [[] for _ in pairwise(bounds)]
        for each in answers:
            found[each.month].append(each)
        self._months = [(month, shown_cells(month, given)) for month in found]

    def complete(
        self, figures: Figures, start: datetime, end: datetime, cell: Cell = WHOLE
    ) -> Figures:
        """Return the figures of [start, end) with their share of satisfied answers."""
        found = self.of(figures.satisfaction, start, end, cell)
        return figures.model_copy(update={"satisfaction": found})

    def of(
        self, counted: Satisfaction, start: datetime, end: datetime, cell: Cell = WHOLE
    ) -> Satisfaction:
        """Return what was counted with the share, or with why it has none."""
        found, note = None, TOO_FEW if counted.n else None
        if counted.n >= MIN_ANSWERS:
            found, note = self._share(start, end, cell)
        return counted.model_copy(update={"share": found, "note": note})

    def _share(
        self, start: datetime, end: datetime, cell: Cell
    ) -> tuple[float | None, str | None]:
        first, last = self._bounds.get(start), self._bounds.get(end)
        if first is None or last is None:
            return None, NO_MONTH
        n = satisfied = 0
        for answers, shown in self._months[first:last]:
            counted = [each for each in answers if each.is_in(cell)]
            if counted and cell not in shown:
                return None, WITHHELD
            n += sum(each.n for each in counted)
            satisfied += sum(each.satisfied for each in counted)
        return share(satisfied, n), None
