"""What joins a problem by itself is linked on both sides, once, and taken back."""

from typing import Any

import pytest

from services.intake.auto_close.subscriber import BOOKMARK
from services.intake.commands import problem_links
from services.intake.log_follower import batch_handler
from shared.domain.commands.incident import Open, Resolve, Restore
from shared.domain.commands.problem import IdentifyProblem, LinkProblem, ResolveProblem
from shared.domain.events.handover import HandoverDeclined, HandoverJoined
from shared.domain.identifiers import handover_stream, incident_stream
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_events import parked_streams, retry
from shared.eventlog.readers.transaction import Part, apply_rows
from tests.integration.intake.commands.test_commands import INC
from tests.integration.intake.commands.test_commands import done as to_incident
from tests.integration.intake.commands.test_problems_and_changes import PRB, done
from tests.integration.intake.conftest import NOW, Hands
from tests.integration.intake.signals.test_receiving import DISK, receive
from tests.support.faults.later_version import upgraded, write_unknown

pytestmark = pytest.mark.servers

OTHER = "PRB-000002"


def read(hands: Hands) -> None:
    """Let intake follow the log to its end, also what it adds to it meanwhile."""
    apply = batch_handler(hands.log, lambda: NOW)
    while True:
        with hands.log.transaction() as cursor:
            tracked = BOOKMARK.start(cursor)
        rows = hands.log.rows_since(tracked.position, 1)
        if not rows:
            return
        apply_rows(hands.log, Part(BOOKMARK, apply, tracked), rows)


def says(owner: EventLog, kind: type[Any], **words: Any) -> None:
    """Let escalation say something of the hand-over of the incident."""
    event = kind(incident=INC, at=NOW, by="system:escalation", **words)
    stream = handover_stream(INC)
    owner.record(stream, owner.head_version(stream), [event])


def joins(owner: EventLog, matched: str, problem: str = PRB) -> None:
    unsure = matched == "service"
    words = {"matched": matched, "to_be_confirmed": unsure}
    says(owner, HandoverJoined, problem=problem, **words)


def about(hands: Hands, stream: str) -> list[str]:
    """Return what is said of links in a stream."""
    types = [entry.type.partition(".")[2] for entry in hands.log.history(stream)]
    return [
        each
        for each in types
        if "link" in each or "problem_" in each or "presumed" in each
    ]


def both(hands: Hands, problem: str = PRB) -> tuple[list[str], list[str]]:
    return about(hands, incident_stream(INC)), about(hands, f"problem-{problem}")


@pytest.fixture
def known(hands: Hands) -> Hands:
    """Give a desk with an incident, and a problem that was found without it."""
    receive(hands, DISK)
    done(hands, IdentifyProblem(title="Disks fill up"), None)
    return hands


def test_by_signature_both_sides_have_the_link(known: Hands, owner: EventLog) -> None:
    joins(owner, "signature")
    read(known)

    assert both(known) == (["linked"], ["incident_linked"])


def test_by_service_both_sides_presume_it_until_a_person_confirms(
    known: Hands, owner: EventLog
) -> None:
    joins(owner, "service")
    joins(owner, "service")
    read(known)
    assert both(known) == (["problem_presumed"], ["incident_presumed"])

    done(known, LinkProblem(incident=INC))
    read(known)
    assert both(known) == (
        ["problem_presumed", "linked"],
        ["incident_presumed", "incident_linked"],
    )


def test_what_is_presumed_ends_where_the_hand_over_is_declined(
    known: Hands, owner: EventLog
) -> None:
    joins(owner, "service")
    says(owner, HandoverDeclined, reason="a wrong alarm", whose="person:helene")
    read(known)

    assert both(known) == (
        ["problem_presumed", "unlinked"],
        ["incident_presumed", "incident_unlinked"],
    )


def test_and_where_a_person_finds_that_it_is_another(
    known: Hands, owner: EventLog
) -> None:
    joins(owner, "service")
    read(known)
    done(known, IdentifyProblem(title="Logs grow", incident=INC), None)
    read(known)

    assert both(known) == (
        ["problem_presumed", "linked", "unlinked"],
        ["incident_presumed", "incident_unlinked"],
    )


def test_nothing_is_presumed_of_what_a_person_has_linked(
    known: Hands, owner: EventLog
) -> None:
    done(known, IdentifyProblem(title="Logs grow", incident=INC), None)
    joins(owner, "service")
    read(known)

    assert both(known) == (["linked"], [])


def test_of_what_is_not_there_nothing_is_recorded(
    known: Hands, owner: EventLog
) -> None:
    joins(owner, "signature", "PRB-000099")
    read(known)

    assert about(known, incident_stream(INC)) == []


def test_what_joined_is_linked_once_a_record_that_could_not_be_read_can_be(
    known: Hands, owner: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_unknown(owner, incident_stream(INC))
    joins(owner, "signature")
    read(known)
    with known.log.transaction() as cursor:
        waiting = {each.stream for each in parked_streams(cursor, BOOKMARK, 10)}
    assert handover_stream(INC) in waiting

    monkeypatch.setitem(*upgraded())
    apply = batch_handler(known.log, lambda: NOW)
    for stream in waiting:
        retry(known.log, BOOKMARK, apply, stream)

    read(known)
    assert both(known) == (["linked"], ["incident_linked"])


@pytest.mark.parametrize("at_once", [1, 200])
def test_incidents_hear_that_their_problem_was_resolved_where_it_matters(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(problem_links, "AT_ONCE_MAX", at_once)
    refs = []
    for title in ("at work", "on a workaround", "solved"):
        opened = to_incident(hands, Open(title=title), None)
        refs.append(opened.incident)
    at_work, workaround, solved = refs
    to_incident(hands, Restore(workaround=True), workaround)
    to_incident(hands, Resolve(), workaround)
    to_incident(hands, Resolve(), solved)
    done(hands, IdentifyProblem(title="The switch"), None)
    for ref in refs:
        done(hands, LinkProblem(incident=ref))
    done(hands, ResolveProblem())
    read(hands)
    read(hands)

    heard = {
        ref: about(hands, incident_stream(ref)).count("problem_resolved")
        for ref in refs
    }
    assert heard == {at_work: 1, workaround: 1, solved: 0}
