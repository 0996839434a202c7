"""Every verb has a word on every status, and the decider keeps it."""

from typing import Any, get_args

import pytest

from services.intake.commands.pending_command import REFERENCES
from services.intake.records.rules import VERBS, life_of
from services.intake.records.signal import Signal
from services.intake.records.system_command import (
    AcknowledgeAccepted,
    AcknowledgeSource,
    AnyCommand,
    AttachFile,
    CloseSilent,
    FireReminder,
    Flap,
    LeaveOutFile,
    MachineCommand,
    NoteSource,
    RecordScan,
    Recover,
    Trigger,
)
from shared.domain import events
from shared.domain.commands.change import BODIES as OF_CHANGES
from shared.domain.commands.incident import BODIES, IncidentCommand, Open
from shared.domain.commands.problem import BODIES as OF_PROBLEMS
from shared.domain.incident import Status, replay
from shared.domain.incident.possible import (
    ALREADY,
    DO,
    Situation,
    possible,
    why_refused,
)
from shared.domain.refusal import Refused
from tests.unit.intake.commands.scenario import (
    INC,
    KEY,
    NEW,
    NINE,
    OTHER,
    When,
    event,
    given,
    opened,
    reported,
)

MACHINES = {kind.verb: kind for kind in get_args(MachineCommand)}
FILE = "5b6f1c1e-0c1d-5a1b-9c39-0f7c6f0e7a10"
PART: dict[str, Any] = {
    "name": "a.png",
    "media_type": "image/png",
    "size": 9,
    "message": "1",
}
DIGESTS: dict[str, Any] = {"sha256": "0" * 64, "content_sha256": "1" * 64}
OURS: dict[str, AnyCommand] = {
    CloseSilent.verb: CloseSilent(cycle=1),
    FireReminder.verb: FireReminder("odette", NINE),
    AcknowledgeAccepted.verb: AcknowledgeAccepted(cycle=1),
    AttachFile.verb: AttachFile(attachment=FILE[::-1], **PART, **DIGESTS),
    LeaveOutFile.verb: LeaveOutFile(why="empty", **PART),
    RecordScan.verb: RecordScan(FILE, "clean"),
}
TABLE = {verb.name: verb.effects for verb in VERBS.values() if verb.kind == "incident"}

ended = (event(events.IncidentRestored), event(events.IncidentResolved, cycle=1))
HISTORY: dict[Status, tuple[events.IncidentEvent, ...]] = {
    Status.NEW: (opened(),),
    Status.ACKNOWLEDGED: (opened(), event(events.IncidentAcknowledged)),
    Status.PAUSED: (opened(), event(events.IncidentPaused, reason="vendor")),
    Status.RESOLVED: (opened(), *ended),
    Status.CLOSED: (opened(), *ended, event(events.IncidentClosed)),
    Status.CANCELLED: (opened(), event(events.IncidentCancelled, reason="test")),
    Status.MERGED: (opened(), event(events.IncidentMerged, into=OTHER)),
}
ATTACHED = event(
    events.IncidentFileAttached,
    attachment=FILE,
    **PART,
    sha256="2" * 64,
    content_sha256="3" * 64,
)
HISTORY = {status: (*past, ATTACHED) for status, past in HISTORY.items()}
REQUEST: dict[Status, tuple[events.IncidentEvent, ...]] = {
    status: (reported(), *HISTORY[status][1:])
    for status in (Status.NEW, Status.ACKNOWLEDGED, Status.PAUSED)
} | {
    Status.CANCELLED: (
        reported(),
        event(events.IncidentRedirected, to="rh", message="Vu par la RH"),
    )
}
"""The same of a request, which somebody made: only that is handed elsewhere."""
BODY: dict[str, dict[str, Any]] = {
    "open": {"title": "x"},
    "attach": {"person": "costa", "channel": "chat"},
    "classify": {"urgency": "high"},
    "edit": {"title": "said better"},
    "assign": {"assignee": "wim"},
    "return": {"reason": "not ours"},
    "pause": {"reason": "vendor"},
    "inform": {"message": "x"},
    "solution": {"note": "x"},
    "resolve": {"force": True, "reason": "unplugged"},
    "cancel": {"reason": "test"},
    "redirect": {"to": "rh", "message": "Vu par la RH"},
    "snooze": {"for": "1h", "reason": "the vendor is on it"},
    "link": {"relation": "related", "target": OTHER},
    "unlink": {"relation": "problem", "target": "PRB-1"},
    "note": {"note": "x"},
    "remind": {"for": "1h"},
    "merge": {"into": OTHER},
    "detach": {"attachment": FILE, "reason": "a password is visible"},
    "split": {"title": "x"},
}


def wished(verb: str, status: Status) -> When:
    past = REQUEST.get(status) if verb == "redirect" else None
    history = given(*(past or HISTORY[status])).beside(opened(incident=OTHER))
    if verb == "detach":
        removal = BODIES[verb].model_validate(BODY[verb])
        return history.when(removal, roles=("manager",))
    if verb in BODIES:
        wish = BODIES[verb].model_validate(BODY.get(verb, {}))
        return history.when(wish, new=NEW)
    if verb in OURS:
        return history.when(OURS[verb], by="system:intake")
    signal = Signal(source="prom", dedup_key="k1", action="trigger", title="x")
    if verb == Trigger.verb:
        return history.when(Trigger(signal, KEY, NINE), by="source:prom")
    return history.when(machines(verb, signal), by="source:prom")


def machines(verb: str, signal: Signal) -> MachineCommand:
    others: dict[str, MachineCommand] = {
        Recover.verb: Recover("prom", KEY),
        Flap.verb: Flap("prom", KEY, 4, NINE),
        AcknowledgeSource.verb: AcknowledgeSource(signal, KEY),
        NoteSource.verb: NoteSource(signal, KEY),
    }
    return others[verb]


def outcome(verb: str, status: Status) -> str:
    """Return why a verb is refused, "" if it changes nothing."""
    try:
        return "".join(event.type for event in wished(verb, status).events())
    except Refused as no:
        return no.reason


def test_every_verb_has_a_row() -> None:
    assert set(TABLE) == {*BODIES, *MACHINES, *OURS}
    assert set(VERBS) == set(get_args(AnyCommand))


@pytest.mark.parametrize("verb", sorted(TABLE))
def test_every_row_has_a_word_on_every_status(verb: str) -> None:
    assert list(TABLE[verb]) == list(Status)
    assert all(TABLE[verb].values())


@pytest.mark.parametrize("status", Status)
def test_the_examples_have_the_status_they_stand_for(status: Status) -> None:
    incident = replay(HISTORY[status])

    assert incident is not None
    assert incident.status is status


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verb", sorted(TABLE))
def test_the_decider_keeps_the_table(verb: str, status: Status) -> None:
    when = wished(verb, status)

    match TABLE[verb][status]:
        case word if word == ALREADY:
            when.then()
        case word if word == DO:
            when.events()
        case instead:
            when.then_refused(f"{INC} is {status}: {instead.format(into=OTHER)}")


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verb", sorted(BODIES))
def test_what_is_not_offered_would_change_nothing_or_be_refused(
    verb: str, status: Status
) -> None:
    incident = replay(HISTORY[status])
    assert incident is not None
    now = Situation(incident, "n1", None, (), may_say=lambda _: True)
    offered = possible(now, "odette")
    refused = why_refused(now, "odette")

    if verb in offered:
        assert TABLE[verb][status] == DO
        assert verb not in refused
        return
    assert outcome(verb, status) in ("", refused.get(verb))


@pytest.mark.parametrize("verb", sorted({*TABLE} - {"open", "trigger"}))
def test_only_two_verbs_need_no_incident(verb: str) -> None:
    signal = Signal(source="prom", dedup_key="k1", action="resolve", title="x")
    wish: Any = OURS.get(verb) or (
        BODIES[verb].model_validate(BODY.get(verb, {}))
        if verb in BODIES
        else machines(verb, signal)
    )

    given().when(wish).then_refused("there is no incident", "unknown_incident")


def test_the_table_is_written_as_markdown() -> None:
    lines = life_of("incident").splitlines()

    assert lines[0] == f"|  | {' | '.join(Status)} |"
    assert len(lines) == len(TABLE) + 2
    acknowledge = next(line for line in lines if "**acknowledge**" in line)
    assert "| **acknowledge** | do | already | do | reopen it first |" in acknowledge
    assert "{" not in life_of("incident")


def test_every_record_that_a_body_names_is_read() -> None:
    references = {
        name
        for body in (*BODIES.values(), *OF_PROBLEMS.values(), *OF_CHANGES.values())
        for name, schema in body.model_json_schema().get("properties", {}).items()
        if any(
            start in str(schema) for start in ("^INC-", "^PRB-", "^CHG-", "^([A-Z][")
        )
    }

    # Problems that the caller knows of are compared with those of the incident.
    assert references - {"beside"} == set(REFERENCES)


def test_every_wish_of_a_person_has_a_verb_of_its_own() -> None:
    assert BODIES["open"] is Open
    assert list(BODIES.values()) == list(get_args(IncidentCommand))
