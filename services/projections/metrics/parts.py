"""Single metrics from counted cells: promises, reports, contacts, what came of it."""

from collections import Counter

from services.projections.metrics.breaches import breach_in
from services.projections.metrics.counted import Counted, share
from services.projections.metrics.figures import (
    Answering,
    BreachedBy,
    Changes,
    FirstContact,
    Handovers,
    Kept,
    OlaKept,
    PingPong,
    Problems,
    QuickFixes,
    Reopened,
    Reported,
    ReportedInCategory,
    Solutions,
)
from services.projections.metrics.promises import LATE


def kept(begun: Counted, target: str) -> Kept:
    """Return how a target was kept by the clocks that ended."""
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


def olas(begun: Counted) -> dict[str, OlaKept]:
    """Return how support levels kept what they owe, by level and target."""
    return {word: _owed(begun.where("word", word)) for word in begun.by("ola", "word")}


def _owed(begun: Counted) -> OlaKept:
    ended = begun.by("ola", "ended")
    met, breached = ended.get("met", 0), ended.get("breached", 0)
    return OlaKept(
        met=met,
        breached=breached,
        cancelled=ended.get("cancelled", 0),
        share=share(met, met + breached),
    )


def reported(begun: Counted) -> Reported:
    """Return how incidents came to be known, in all and by category."""
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


def first_contact(begun: Counted) -> FirstContact:
    """Return how many were resolved at the first contact, of those known by now."""
    resolved = begun.sum("first_contact", "yes")
    n = resolved + begun.sum("first_contact", "not")
    return FirstContact(
        resolved_at_first_contact=resolved,
        n=n,
        share=share(resolved, n),
        not_yet_known=begun.sum("first_contact", "unknown"),
    )


def reopened(begun: Counted) -> Reopened:
    """Return how often it was not over."""
    reopens, resolutions = begun.sum("reopened"), begun.sum("resolved")
    return Reopened(
        reopens=reopens, resolutions=resolutions, rate=share(reopens, resolutions)
    )


def ping_pong(begun: Counted) -> PingPong:
    """Return how often an incident came back to a team that had it."""
    return PingPong(returns=begun.sum("ping_pong"))


def quick_fixes(begun: Counted) -> QuickFixes:
    """Return how often a workaround passed for a solution, and did not hold."""
    return QuickFixes(
        root_cause_open=begun.sum("left_open"), reopened=begun.sum("quick_fix")
    )


def solutions(begun: Counted) -> Solutions:
    """Return how many solution notes were written, and how often one was enough."""
    n1 = begun.sum("solved", "n1")
    by_note = begun.sum("solved", "n1", "by_solution")
    return Solutions(
        noted=begun.sum("solution_noted"),
        above_n1=begun.sum("solved") - n1,
        at_n1=n1,
        at_n1_by_note=by_note,
        share=share(by_note, n1),
    )


def problems(begun: Counted) -> Problems:
    """Return the problems identified, and the outcome of hand-overs."""
    return Problems(
        from_incidents=begun.sum("problem", "incident"),
        found_by_staff=begun.sum("problem", "staff"),
        handovers=Handovers(**begun.by("handover", "word")),
    )


def changes(begun: Counted) -> Changes:
    """Return the changes that came of incidents."""
    return Changes(
        requested=begun.sum("change_requested"),
        requested_directly=begun.sum("change_requested", "incident"),
        requested_through_problems=begun.sum("change_requested", "problem"),
        planned=begun.sum("change_planned"),
        cancelled=begun.sum("change_cancelled"),
    )


def answering(begun: Counted) -> list[Answering]:
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
