"""Random histories of incidents: any order that the log could hold, lawful or not.

`evolve` and the projections never refuse what has happened, so they must agree on all
of these, not only on what today's rules let happen.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentContacted,
    IncidentEdited,
    IncidentInformed,
    IncidentOpened,
    IncidentPaused,
    IncidentRedirected,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
)
from shared.domain.events.incident_signals import (
    IncidentRecovered,
    IncidentSignalled,
    IncidentSourceAcknowledged,
    IncidentSourceNoted,
)
from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentReleased,
    IncidentSplit,
    IncidentUnlinked,
    IncidentUnmerged,
)
from shared.domain.identifiers import incident_ref, incident_stream
from shared.eventlog.entry import Entry

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KEY = "a" * 64
OTHER = "INC-000099"

_refs = st.integers(1, 4).map(incident_ref)
_people = st.sampled_from(["paul", "nadia", "amina"])
_scale = st.sampled_from(["high", "medium", "low"])
_priority = st.sampled_from(["p1", "p2", "p3", "p4"])
_team = st.sampled_from(["desk", "network", "studies"])
_service = st.sampled_from(["portal", "payroll"])
_client = st.sampled_from([None, "valmont", "boreale"])
_title = st.sampled_from(["Printer on fire", "100 % of /var used", "Écran noir_2"])
_hours = st.integers(0, 90).map(lambda n: START - timedelta(hours=n))


def opened(ref: str, **given: object) -> IncidentOpened:
    """Return an opening event with everything a test does not care about."""
    whole = {
        "at": START,
        "by": "person:paul",
        "whose": "person:paul",
        "incident": ref,
        "policy": 1,
        "origin": "agent",
        "title": "Printer on fire",
        "service": "portal",
        "impact": "low",
        "urgency": "medium",
        "priority": "p3",
        "team": "desk",
        "reported_at": START,
        **given,
    }
    return IncidentOpened.model_validate(whole)


def _openings() -> st.SearchStrategy[IncidentEvent]:
    return st.builds(
        opened,
        st.just(OTHER),
        title=_title,
        service=_service,
        client=_client,
        impact=_scale,
        urgency=_scale,
        priority=_priority,
        team=_team,
        reporter=st.none() | _people,
        reported_at=_hours,
        origin=st.sampled_from(["monitoring", "user", "agent", "split"]),
    )


def _later() -> st.SearchStrategy[IncidentEvent]:
    head = {
        "at": st.just(START),
        "by": _people.map("person:{}".format),
        "whose": st.just("person:paul"),
        "incident": st.just(OTHER),
        "policy": st.just(1),
    }
    key = {"source": st.just("prom"), "signal_key": st.just(KEY)}
    problem = st.sampled_from(["PRB-000001", "PRB-000002"])
    link = {"relation": st.sampled_from(["related", "problem"]), "target": problem}
    states = st.just({KEY: "firing"})
    return st.one_of(
        st.builds(
            IncidentContacted,
            person=_people,
            direction=st.sampled_from(["inbound", "outbound"]),
            channel=st.just("phone"),
            contacted_at=st.just(START),
            words=st.just("Rien ne marche"),
            abandoned=st.booleans(),
            **head,
        ),
        st.builds(
            IncidentClassified,
            service=_service,
            client=_client,
            category=st.sampled_from([None, "hardware"]),
            impact=_scale,
            urgency=_scale,
            priority=_priority,
            **head,
        ),
        st.builds(IncidentAssigned, team=_team, assignee=st.none() | _people, **head),
        st.builds(IncidentAcknowledged, **head),
        st.builds(
            IncidentPaused,
            reason=st.sampled_from(["user", "vendor"]),
            question=st.just("Which one?"),
            **head,
        ),
        st.builds(IncidentResumed, cause=st.just("agent"), **head),
        st.builds(IncidentEdited, title=st.just("Said better"), **head),
        st.builds(IncidentInformed, message=st.just("Still at it"), **head),
        st.builds(IncidentRestored, workaround=st.booleans(), **head),
        st.builds(IncidentRelapsed, **head),
        st.builds(
            IncidentResolved, cycle=st.just(1), root_cause_open=st.booleans(), **head
        ),
        st.builds(
            IncidentReopened,
            cycle=st.integers(2, 4),
            cause=st.just("user"),
            after_closure=st.booleans(),
            **head,
        ),
        st.builds(IncidentClosed, **head),
        st.builds(IncidentCancelled, reason=st.just("withdrawn"), **head),
        st.builds(
            IncidentRedirected,
            to=st.just("rh"),
            message=st.just("Vu par la RH"),
            **head,
        ),
        st.builds(
            IncidentSignalled,
            repeats=st.integers(0, 9),
            last_at=st.just(START),
            **key,
            **head,
        ),
        st.builds(IncidentRecovered, repeats=st.integers(0, 9), **key, **head),
        st.builds(IncidentSourceAcknowledged, **key, **head),
        st.builds(IncidentSourceNoted, note=st.just("seen"), **key, **head),
        st.builds(IncidentLinked, **link, **head),
        st.builds(IncidentUnlinked, **link, **head),
        st.builds(IncidentProblemPresumed, problem=problem, **head),
        st.builds(IncidentProblemResolved, problem=problem, **head),
        st.builds(IncidentMerged, into=st.just(OTHER), **head),
        st.builds(
            IncidentAbsorbed,
            merged=st.just(OTHER),
            signals=states,
            reporters=st.just(("nadia",)),
            **head,
        ),
        st.builds(IncidentUnmerged, out_of=st.just(OTHER), signals=states, **head),
        st.builds(
            IncidentReleased,
            merged=st.just(OTHER),
            signal_keys=st.just((KEY,)),
            **head,
        ),
        st.builds(IncidentSplit, into=st.just(OTHER), signal_keys=st.just(()), **head),
    )


OPENINGS = _openings()
LATER = _later()


@st.composite
def histories(draw: st.DrawFn, *, size: int = 30) -> list[Entry]:
    """Draw a log of a few incidents whose events lie between one another's."""
    versions: dict[str, int] = {}
    entries: list[Entry] = []
    for position in range(1, draw(st.integers(1, size)) + 1):
        ref = draw(_refs)
        at = START + timedelta(minutes=position)
        drawn = draw(LATER if ref in versions else OPENINGS)
        event = drawn.model_copy(update={"incident": ref, "at": at})
        versions[ref] = versions.get(ref, 0) + 1
        entries.append(entry(event, position, versions[ref], at))
    return entries


def entry(
    event: IncidentEvent, position: int, version: int, at: datetime = START
) -> Entry:
    """Return `event` as the log would give it back."""
    stream = incident_stream(event.incident)
    return Entry(position, stream, version, event.type, at, None, event)


def numbered(events: Sequence[IncidentEvent]) -> list[Entry]:
    """Return events of one or more incidents as a log that begins with them."""
    versions: dict[str, int] = {}
    entries = []
    for position, event in enumerate(events, start=1):
        versions[event.incident] = versions.get(event.incident, 0) + 1
        entries.append(entry(event, position, versions[event.incident], event.at))
    return entries
