"""Where an incident stands after an event, as `shared.domain.incident` has it.

A test over any history holds both to the same.
"""

from services.projections.metrics.life import Entered, Fact, Life, Pause, added, altered
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentClosed,
    IncidentOpened,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
    IncidentSolutionNoted,
)
from shared.domain.events.incident_ties import IncidentMerged, IncidentUnmerged
from shared.domain.incident import BrokenHistory, Status
from shared.domain.incident.state import begun
from shared.eventlog.entry import Entry

_DONE = frozenset({Status.RESOLVED, Status.CLOSED})


def moved(life: Life, event: IncidentEvent, entry: Entry) -> Life:
    """Return an incident after an event that may move it."""
    after = _moved(life, event, entry)
    if after is life:
        return life
    resolved = isinstance(event, IncidentResolved) or life.resolved
    return altered(after, resolved=resolved and after.status in _DONE)


def _moved(  # noqa: PLR0911 # one return a case
    life: Life, event: IncidentEvent, entry: Entry
) -> Life:
    match event:
        case IncidentOpened():
            raise BrokenHistory(f"{event.incident} was opened twice")
        case IncidentAcknowledged():
            paused = life.status is Status.PAUSED
            status = Status.PAUSED if paused else Status.ACKNOWLEDGED
            return altered(
                life, status=status, acknowledged=True, ever_acknowledged=True
            )
        case IncidentPaused():
            pause = Pause(event.reason, event.at)
            return altered(life, status=Status.PAUSED, pauses=(*life.pauses, pause))
        case IncidentResumed():
            pauses = tuple(altered(p, until=p.until or event.at) for p in life.pauses)
            return altered(life, status=_at_work(life), pauses=pauses)
        case IncidentUnmerged():
            return altered(life, status=_at_work(life))
        case IncidentRestored() | IncidentRelapsed():
            return altered(life, restored=isinstance(event, IncidentRestored))
        case IncidentReopened():
            return _reopened(life, event, entry)
        case _:
            return _over(life, event, entry)


def _over(life: Life, event: IncidentEvent, entry: Entry) -> Life:
    match event:
        case IncidentResolved():
            return _resolved(life, event, entry)
        case IncidentSolutionNoted():
            noted = Fact("solution_noted", 0, entry.recorded_at)
            return altered(life, facts=added(life.facts, noted))
        case IncidentClosed():
            return altered(life, status=Status.CLOSED)
        case IncidentCancelled():
            return altered(life, status=Status.CANCELLED)
        case IncidentMerged():
            return altered(life, status=Status.MERGED)
        case _:
            return life


def _resolved(life: Life, event: IncidentResolved, entry: Entry) -> Life:
    at, facts = entry.recorded_at, life.facts
    if event.root_cause_open:
        facts = added(facts, Fact("left_open", 0, at))
    if event.by.startswith("person:"):
        level = event.level or (life.levels[-1].level if life.levels else "n1")
        how = "by_solution" if event.solution else "otherwise"
        facts = added(facts, Fact("solved", 0, at, level, ended=how))
    if event.solution:
        facts = added(facts, Fact("solution_used", 0, at, event.solution))
    return altered(life, status=Status.RESOLVED, facts=facts)


def _reopened(life: Life, event: IncidentReopened, entry: Entry) -> Life:
    word = "after_closure" if event.after_closure else "resolved"
    facts = added(life.facts, Fact("reopened", 0, entry.recorded_at, word))
    if event.quick_fix:
        facts = added(facts, Fact("quick_fix", 0, entry.recorded_at))
    return altered(
        life,
        status=Status.NEW,
        acknowledged=False,
        restored=False,
        levels=(*life.levels, Entered("n1", event.at)) if life.levels else (),
        holders=begun(life.holders.desk) if life.holders else None,
        facts=facts,
    )


def _at_work(life: Life) -> Status:
    return Status.ACKNOWLEDGED if life.acknowledged else Status.NEW
