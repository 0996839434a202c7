"""Computes the metrics of a period from counted cells: whole, parts and groups."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from services.projections.metrics.figures import (
    Answering,
    Balance,
    BreachedBy,
    Changes,
    Dwell,
    Figures,
    FirstContact,
    Handovers,
    Kept,
    OlaKept,
    Percentiles,
    PingPong,
    Problems,
    QuickFixes,
    Reopened,
    Reported,
    ReportedInCategory,
    ResolvedWithin,
    Satisfaction,
    Solutions,
    Times,
    TimesToAcknowledge,
    Within,
)
from services.projections.metrics.period import PeriodQuery
from services.projections.metrics.promises import LATE, breach_in
from services.projections.metrics.queries import (
    Cell,
    ConsumedTime,
    CountedCells,
    Durations,
    PeriodCounts,
    answers_in,
    find,
    share,
)
from services.projections.metrics.satisfaction import (
    Answers,
    MonthlySatisfaction,
    cell_of,
)
from shared.database.cursors import Cursors
from shared.domain.policy.durations import duration_text


def satisfaction(begun: CountedCells) -> Satisfaction:
    """Return how many were asked and answered; `MonthlySatisfaction` adds the share."""
    n = begun.sum("survey_answered")
    invited = begun.sum("survey_invited")
    responded = begun.sum("survey_invited", ended="answered")
    return Satisfaction(
        share=None,
        n=n,
        invited=invited,
        responded=responded,
        response_rate=share(responded, invited),
    )


def kept(begun: CountedCells, target: str) -> Kept:
    """Return how many ended clocks kept a target."""
    ended = begun.where("word", target).by("target", "ended")
    breaches = [(b, n) for how, n in ended.items() if (b := breach_in(how))]
    late = ended.get(LATE, 0)
    met, breached = ended.get("met", 0) + late, sum(n for _, n in breaches)
    as_agreed = sum(n for breach, n in breaches if breach.as_agreed)
    by: Counter[str] = Counter()
    for breach, n in breaches:
        by[breach.party or "unattributed"] += n
    return Kept(
        met=met,
        met_after_extension=late,
        breached=breached,
        done_as_agreed=as_agreed,
        cancelled=ended.get("cancelled", 0),
        share=share(met, met + breached),
        against_original=share(met - late, met + breached),
        against_agreed=share(met + as_agreed, met + breached),
        breached_by=BreachedBy(**by),
    )


def olas(begun: CountedCells) -> dict[str, OlaKept]:
    """Return how support levels kept their targets, by level and target."""
    return {word: _owed(begun.where("word", word)) for word in begun.by("ola", "word")}


def _owed(begun: CountedCells) -> OlaKept:
    ended = begun.by("ola", "ended")
    met, breached = ended.get("met", 0), ended.get("breached", 0)
    return OlaKept(
        met=met,
        breached=breached,
        cancelled=ended.get("cancelled", 0),
        share=share(met, met + breached),
    )


def reported(begun: CountedCells) -> Reported:
    """Return how incidents were reported, in total and by category."""
    cells = begun.where("kind", "reported")
    categories = sorted(
        {cell.category for cell in cells.cells},
        key=lambda name: (name is None, name or ""),
    )
    by_category = [
        ReportedInCategory(
            category=name,
            **cells.where("category", name).by("reported", "word"),
        )
        for name in categories
    ]
    return Reported(**cells.by("reported", "word"), by_category=by_category)


def first_contact(begun: CountedCells) -> FirstContact:
    """Return how many incidents were resolved at the first contact, as known by now."""
    resolved = begun.sum("first_contact", "yes")
    n = resolved + begun.sum("first_contact", "not")
    return FirstContact(
        resolved_at_first_contact=resolved,
        n=n,
        share=share(resolved, n),
        not_yet_known=begun.sum("first_contact", "unknown"),
    )


def reopened(begun: CountedCells) -> Reopened:
    """Return how often incidents were reopened."""
    reopens, resolutions = begun.sum("reopened"), begun.sum("resolved")
    return Reopened(
        reopens=reopens, resolutions=resolutions, rate=share(reopens, resolutions)
    )


def ping_pong(begun: CountedCells) -> PingPong:
    """Return how often an incident returned to a team that already had it."""
    return PingPong(returns=begun.sum("ping_pong"))


def quick_fixes(begun: CountedCells) -> QuickFixes:
    """Return how often a resolution by a workaround did not hold."""
    return QuickFixes(
        root_cause_open=begun.sum("left_open"), reopened=begun.sum("quick_fix")
    )


def solutions(begun: CountedCells) -> Solutions:
    """Return how many solution notes were written, and how often one sufficed."""
    n1 = begun.sum("solved", "n1")
    by_note = begun.sum("solved", "n1", "by_solution")
    return Solutions(
        noted=begun.sum("solution_noted"),
        above_n1=begun.sum("solved") - n1,
        at_n1=n1,
        at_n1_by_note=by_note,
        share=share(by_note, n1),
    )


def problems(begun: CountedCells) -> Problems:
    """Return the problems identified, and the outcome of hand-overs."""
    return Problems(
        from_incidents=begun.sum("problem", "incident"),
        found_by_staff=begun.sum("problem", "staff"),
        handovers=Handovers(**begun.by("handover", "word")),
    )


def changes(begun: CountedCells) -> Changes:
    """Return the changes that incidents led to."""
    return Changes(
        requested=begun.sum("change_requested"),
        requested_directly=begun.sum("change_requested", "incident"),
        requested_through_problems=begun.sum("change_requested", "problem"),
        planned=begun.sum("change_planned"),
        cancelled=begun.sum("change_cancelled"),
    )


def answering(begun: CountedCells) -> list[Answering]:
    """Return how fast contacts were answered, by channel."""
    found: list[Answering] = []
    for channel in begun.by("contact", "word"):
        of_channel = begun.where("word", channel)
        verdicts = of_channel.by("contact", "ended")
        in_time, late = verdicts.get("in_time", 0), verdicts.get("late", 0)
        found.append(
            Answering(channel=channel, share=share(in_time, in_time + late), **verdicts)
        )
    return found


_TARGETS = ("tto", "ttr", "update")
_NONE = Durations(0, None, 0, (), (), (), ())


def groups(found: PeriodCounts) -> list[str | None]:
    """Return the groups by name, the unnamed one last."""
    named = {each.group for sort in found for each in sort}
    return sorted(named, key=lambda name: (name is None, name))


def assembled(
    asked: PeriodQuery, found: PeriodCounts, group: str | None
) -> Iterator[Figures]:
    """Yield the numbers of each part of the period, for one group."""
    lasting = CountedCells(cell for cell in found.lasting if cell.group == group)
    at_start = {kind: lasting.sum(kind) for kind in ("stock", "awaiting", "waiting")}
    for part in range(len(asked.bounds) - 1):

        def here(cell: Cell | Durations | ConsumedTime, part: int = part) -> bool:
            return cell.part == part and cell.group == group

        begun = CountedCells(filter(here, found.begun))
        ended = CountedCells(filter(here, found.ended))
        at_end = {k: n + begun.sum(k) - ended.sum(k) for k, n in at_start.items()}
        resolved = next(filter(here, found.resolved), _NONE)
        yield Figures(
            satisfaction=satisfaction(begun),
            balance=_balance(at_start, at_end, begun, ended),
            resolved_within=_within(asked, resolved),
            time_to_acknowledge=TimesToAcknowledge(
                **_times(next(filter(here, found.acknowledged), _NONE)).__dict__,
                still_waiting=at_end["waiting"],
            ),
            time_to_restore=_times(next(filter(here, found.restored), _NONE)),
            time_to_resolve=_times(resolved),
            dwell=_dwell(filter(here, found.dwelt)),
            sla={target: kept(begun, target) for target in _TARGETS},
            ola=olas(begun),
            reported=reported(begun),
            first_contact_resolution=first_contact(begun),
            reopened=reopened(begun),
            ping_pong=ping_pong(begun),
            quick_fixes=quick_fixes(begun),
            solutions=solutions(begun),
            problems=problems(begun),
            changes=changes(begun),
            answering=answering(begun),
        )
        at_start = at_end


def _balance(
    at_start: dict[str, int],
    at_end: dict[str, int],
    begun: CountedCells,
    ended: CountedCells,
) -> Balance:
    return Balance(
        open_before=at_start["stock"],
        recorded=begun.sum("stock", "recorded"),
        split=begun.sum("stock", "split"),
        unmerged=begun.sum("stock", "unmerged"),
        reopened_after_closure=begun.sum("stock", "reopened_after_closure"),
        closed=ended.sum("stock", "closed"),
        cancelled=ended.sum("stock", "cancelled"),
        redirected=ended.sum("stock", "redirected"),
        merged=ended.sum("stock", "merged"),
        open_at_end=at_end["stock"],
        awaiting_closure=at_end["awaiting"],
    )


def _within(asked: PeriodQuery, resolved: Durations) -> ResolvedWithin:
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


def _times(measured: Durations) -> Times:
    return Times(
        n=measured.n,
        working_seconds=_percentiles(measured.working),
        wall_clock_seconds=_percentiles(measured.wall),
    )


def _percentiles(found: Sequence[int]) -> Percentiles:
    return Percentiles(p50=found[0], p90=found[1]) if found else Percentiles()


def _dwell(found: Iterator[ConsumedTime]) -> dict[str, Dwell]:
    by_level = {dwelt.level: dwelt for dwelt in found}
    return {
        level: Dwell(
            n=held.n, p50=held.seconds[0], p95=held.seconds[1], total=held.total
        )
        for level, held in sorted(by_level.items())
    }


GROUPS_MAX = 100
"""The maximum number of groups in an answer; `groups_left_off` counts the others."""


@dataclass(frozen=True)
class Metrics:
    """The numbers of a period; `parts` in the order of the bounds."""

    whole: Figures
    parts: Sequence[Figures]
    groups: Sequence[tuple[str | None, Figures]]
    groups_left_off: int


def monthly_satisfaction(
    cursor: Cursors, schema: str, asked: PeriodQuery
) -> MonthlySatisfaction:
    """Return the satisfaction of the months of a period that are over."""
    given, ends = asked.disclosure, (asked.bounds[0], asked.bounds[-1])
    months = given.months(*ends, asked.known)
    rows = answers_in(cursor, schema, months) if months else ()
    return MonthlySatisfaction(months, (Answers(*row) for row in rows), given)


def metrics(cursor: Cursors, schema: str, asked: PeriodQuery) -> Metrics:
    """Return the numbers of a period from a generation of the read model."""
    ends = (asked.bounds[0], asked.bounds[-1])
    one = replace(asked, bounds=ends, group_by=None)
    (whole,) = assembled(one, find(cursor, schema, one), None)
    satisfied = monthly_satisfaction(cursor, schema, asked)
    whole = satisfied.complete(whole, *ends)
    parts: Sequence[Figures] = ()
    if len(asked.bounds) > len(ends):
        cut = replace(asked, group_by=None)
        parts = tuple(
            satisfied.complete(figures, start, end)
            for (start, end), figures in zip(
                pairwise(asked.bounds),
                assembled(cut, find(cursor, schema, cut), None),
                strict=True,
            )
        )
    grouped: list[tuple[str | None, Figures]] = []
    left_off = 0
    if asked.group_by:
        by_group = replace(asked, bounds=ends)
        found = find(cursor, schema, by_group)
        names = groups(found)
        left_off = max(0, len(names) - GROUPS_MAX)
        for name in names[:GROUPS_MAX]:
            (figures,) = assembled(by_group, found, name)
            cell = cell_of(asked.group_by, name)
            grouped.append((name, satisfied.complete(figures, *ends, cell)))
    return Metrics(whole, parts or (whole,), grouped, left_off)
