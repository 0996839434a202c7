"""Random histories of incidents with all streams about them, in any order at all.

As in `histories`: what the log could hold, lawful or not.
"""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from shared.domain.events import (
    EVENT_TYPES,
    EscalationEvent,
    HandoverEvent,
    IncidentEvent,
    SlaEvent,
)
from shared.domain.identifiers import (
    escalation_stream,
    extension_ref,
    handover_stream,
    incident_ref,
    incident_stream,
    sla_stream,
)
from shared.eventlog.entry import Entry
from tests.support.strategies.histories import LATER, OPENINGS, OTHER, START

AboutIncident = IncidentEvent | SlaEvent | EscalationEvent | HandoverEvent

_STREAMS = {
    "incident": incident_stream,
    "sla": sla_stream,
    "escalation": escalation_stream,
    "notification": escalation_stream,
    "handover": handover_stream,
}
_people = st.sampled_from(["paul", "nadia", "amina"])
_levels = st.sampled_from(["n1", "n2", "n3"])
_instants = st.integers(0, 90).map(lambda n: START + timedelta(hours=n))
_CLOCK: dict[str, st.SearchStrategy[Any]] = {
    "target": st.sampled_from(["tto", "ttr", "update", "ola_n1_own", "ola_n2_work"]),
    "cycle": st.integers(1, 3),
}
_TERMS: dict[str, st.SearchStrategy[Any]] = {
    "contract": st.just("valmont"),
    "candidates": st.just(("valmont",)),
    "calendar": st.just("paris"),
    "seconds": st.just(3_600),
}
_DUE = {"due_at": _instants}
_EXTENSION = {"extension": st.just(extension_ref(OTHER, 1))}
_OF_CLOCKS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "sla.armed": {**_TERMS, **_DUE, "started_at": _instants},
    "sla.warned": {"after_seconds": st.just(60), "warned_at": _instants, **_DUE},
    "sla.breached": {
        "contract": st.just("valmont"),
        "seconds": st.just(3_600),
        "breached_at": _instants,
        **_DUE,
    },
    "sla.met": {
        "met_at": _instants,
        "elapsed_seconds": st.just(1),
        "seconds": st.just(2),
    },
    "sla.overran": {
        "done_at": _instants,
        "elapsed_seconds": st.just(3),
        "overrun_seconds": st.just(1),
    },
    "sla.cancelled": {"cancelled_at": _instants, "reason": st.just("recovered")},
    "sla.paused": {
        "paused_at": _instants,
        "reason": st.just("user"),
        "elapsed_seconds": st.just(3),
        "left_seconds": st.just(1),
    },
    "sla.resumed": {"resumed_at": _instants, **_DUE},
    "sla.continued": {
        "cause": st.just("relapsed"),
        "continued_at": _instants,
        **_DUE,
    },
    "sla.retargeted": {
        **_TERMS,
        "was_seconds": st.just(7_200),
        "retargeted_at": _instants,
        "due_at": st.none() | _instants,
        "was_due_at": st.none(),
    },
    "sla.extension_proposed": {
        **_EXTENSION,
        "proposed_at": _instants,
        "proposed_due_at": _instants,
        "expires_at": _instants,
        "reason": st.just("The part is late"),
        "asked": st.just(("paul",)),
    },
    "sla.extension_accepted": {
        **_EXTENSION,
        "accepted_by": _people,
        "channel": st.just("phone"),
        "accepted_at": _instants,
        "seconds": st.just(7_200),
        "was_seconds": st.just(3_600),
        "agreed_due_at": _instants,
        "due_at": st.none() | _instants,
        "after_breach": st.booleans(),
    },
    "sla.extension_refused": {
        **_EXTENSION,
        "refused_by": _people,
        "channel": st.just("email"),
        "refused_at": _instants,
    },
    "sla.extension_expired": {
        **_EXTENSION,
        "expired_at": _instants,
        "cause": st.just("no_answer"),
    },
    "sla.breach_attributed": {
        "party": st.sampled_from(["user", "vendor", "provider"]),
    },
}
_OF_HELP: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "escalation.escalated": {
        "cycle": st.integers(1, 3),
        "from_level": _levels,
        "to_level": _levels,
        "team": st.sampled_from(["support", "studies"]),
        "cause": st.sampled_from(["by_hand", "dwell"]),
        "escalated_at": _instants,
        "reason": st.just("He knows the machine"),
    },
    "escalation.returned": {
        "cycle": st.integers(1, 3),
        "from_level": _levels,
        "to_level": _levels,
        "team": st.sampled_from(["support", "studies"]),
        "returned_at": _instants,
    },
    "escalation.paged": {
        "cycle": st.integers(1, 3),
        "level": _levels,
        "step": st.just(0),
        "loop": st.just(1),
        "key": st.just("k"),
        "team": st.just("support"),
        "who": st.just("manager"),
        "people": st.just(("sylvie",)),
        "due_at": _instants,
    },
    "escalation.accepted": {
        "cycle": st.integers(1, 3),
        "level": _levels,
        "person": _people,
        "how": st.just("accepted"),
    },
    "escalation.exhausted": {
        "cycle": st.just(1),
        "level": _levels,
        "team": st.just("support"),
        "number": st.just(1),
        "key": st.just("k"),
        "people": st.just(("sylvie",)),
        "exhausted_at": _instants,
        "next_at": _instants,
    },
    "escalation.unanswered": {
        "cycle": st.just(1),
        "level": _levels,
        "unanswered_at": _instants,
    },
    "notification.requested": {
        "key": st.just("k"),
        "kind": st.just("page"),
        "audience": st.just("staff"),
        "channel": st.just("mail"),
        "person": st.none() | _people,
        "cause_stream": st.just("escalation-INC-000001"),
        "cause_version": st.just(1),
    },
    "notification.sent": {"key": st.just("k")},
    "handover.requested": {
        "service": st.just("portal"),
        "team": st.just("problem"),
        "cycle": st.just(1),
        "breached_at": _instants,
    },
    "handover.declined": {"reason": st.just("The user was away")},
}
_HEAD = {"at": START, "by": "system:sla_watcher", "incident": OTHER, "policy": 1}


def _made(kind: str, fields: dict[str, Any]) -> st.SearchStrategy[Any]:
    head = {**_HEAD, "whose": "person:paul"}
    of_clock = _CLOCK if kind in _OF_CLOCKS else {}
    drawn = st.fixed_dictionaries({**of_clock, **fields})
    return drawn.map(lambda own: EVENT_TYPES[kind].model_validate({**head, **own}))


_OTHERS = st.one_of(
    *(_made(kind, fields) for kind, fields in {**_OF_CLOCKS, **_OF_HELP}.items())
)


def stream_of(event: AboutIncident) -> str:
    """Return the stream in which an event about an incident stands."""
    return _STREAMS[event.type.partition(".")[0]](event.incident)


@st.composite
def stories(
    draw: st.DrawFn, *, size: int = 30, always_opened: bool = False
) -> list[Entry]:
    """Draw a log of a few incidents and all that is told of them.

    Other streams than its own may speak of one that was never opened, unless
    `always_opened`.
    """
    versions: dict[str, int] = {}
    entries: list[Entry] = []
    for position in range(1, draw(st.integers(1, size)) + 1):
        ref = draw(st.integers(1, 3).map(incident_ref))
        at = START + timedelta(minutes=position)
        known = incident_stream(ref) in versions
        own = draw(st.integers(0, 2)) == 0 or (always_opened and not known)
        drawn = draw((LATER if known else OPENINGS) if own else _OTHERS)
        event = drawn.model_copy(update={"incident": ref, "at": at})
        stream = stream_of(event)
        versions[stream] = version = versions.get(stream, 0) + 1
        entries.append(Entry(position, stream, version, event.type, at, None, event))
    return entries
