"""From counted cells to the numbers of each part and group."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from services.projections.metrics import parts
from services.projections.metrics.asked import Asked
from services.projections.metrics.counted import Counted
from services.projections.metrics.figures import (
    Balance,
    Dwell,
    Figures,
    Percentiles,
    ResolvedWithin,
    Satisfaction,
    Times,
    TimesToAcknowledge,
    Within,
)
from services.projections.metrics.queries import Cell, Dwelt, Found, Measured
from shared.domain.policy.durations import duration_text

_TARGETS = ("tto", "ttr", "update")
_NONE = Measured(0, None, 0, (), (), (), ())


def groups(found: Found) -> list[str | None]:
    """Return the groups there are by name, the one without a name last."""
    named = {each.group for sort in found for each in sort}
    return sorted(named, key=lambda name: (name is None, name))


def assembled(asked: Asked, found: Found, group: str | None) -> Iterator[Figures]:
    """Yield the numbers of each part of the period, for one group."""
    lasting = Counted(cell for cell in found.lasting if cell.group == group)
    at_start = {kind: lasting.sum(kind) for kind in ("stock", "awaiting", "waiting")}
    for part in range(len(asked.bounds) - 1):

        def here(cell: Cell | Measured | Dwelt, part: int = part) -> bool:
            return cell.part == part and cell.group == group

        begun = Counted(filter(here, found.begun))
        ended = Counted(filter(here, found.ended))
        at_end = {
            kind: n + begun.sum(kind) - ended.sum(kind) for kind, n in at_start.items()
        }
        resolved = next(filter(here, found.resolved), _NONE)
        yield Figures(
            satisfaction=Satisfaction(),
            balance=_balance(at_start, at_end, begun, ended),
            resolved_within=_within(asked, resolved),
            time_to_acknowledge=TimesToAcknowledge(
                **_times(next(filter(here, found.acknowledged), _NONE)).__dict__,
                still_waiting=at_end["waiting"],
            ),
            time_to_restore=_times(next(filter(here, found.restored), _NONE)),
            time_to_resolve=_times(resolved),
            dwell=_dwell(filter(here, found.dwelt)),
            sla={target: parts.kept(begun, target) for target in _TARGETS},
            ola=parts.olas(begun),
            reported=parts.reported(begun),
            first_contact_resolution=parts.first_contact(begun),
            reopened=parts.reopened(begun),
            ping_pong=parts.ping_pong(begun),
            quick_fixes=parts.quick_fixes(begun),
            solutions=parts.solutions(begun),
            problems=parts.problems(begun),
            changes=parts.changes(begun),
            answering=parts.answering(begun),
        )
        at_start = at_end


def _balance(
    at_start: dict[str, int], at_end: dict[str, int], begun: Counted, ended: Counted
) -> Balance:
    return Balance(
        open_before=at_start["stock"],
        recorded=begun.sum("stock", "recorded"),
        split=begun.sum("stock", "split"),
        unmerged=begun.sum("stock", "unmerged"),
        reopened_after_closure=begun.sum("stock", "reopened_after_closure"),
        closed=ended.sum("stock", "closed"),
        cancelled=ended.sum("stock", "cancelled"),
        merged=ended.sum("stock", "merged"),
        open_at_end=at_end["stock"],
        awaiting_closure=at_end["awaiting"],
    )


def _within(asked: Asked, resolved: Measured) -> ResolvedWithin:
    working = resolved.working_within or [0] * len(asked.within)
    wall = resolved.wall_within or [0] * len(asked.within)
    return ResolvedWithin(
        standing=resolved.n,
        within=[
            Within(within=_text(delay), working=one, wall_clock=other)
            for delay, one, other in zip(asked.within, working, wall, strict=True)
        ],
    )


def _text(seconds: int) -> str:
    return duration_text(timedelta(seconds=seconds))


def _times(measured: Measured) -> Times:
    return Times(
        n=measured.n,
        working_seconds=_percentiles(measured.working),
        wall_clock_seconds=_percentiles(measured.wall),
    )


def _percentiles(found: Sequence[int]) -> Percentiles:
    return Percentiles(p50=found[0], p90=found[1]) if found else Percentiles()


def _dwell(found: Iterator[Dwelt]) -> dict[str, Dwell]:
    by_level = {dwelt.level: dwelt for dwelt in found}
    return {
        level: Dwell(
            n=held.n, p50=held.seconds[0], p95=held.seconds[1], total=held.total
        )
        for level, held in sorted(by_level.items())
    }
