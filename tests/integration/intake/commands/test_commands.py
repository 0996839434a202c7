"""People's commands: one winner a version, one effect a key, an answer for each."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from services.intake.commands.pending_command import PendingCommand
from services.intake.records.system_command import AnyCommand
from shared.domain.commands.incident import (
    Acknowledge,
    Assign,
    Cancel,
    Inform,
    Link,
    Merge,
    Open,
    Resolve,
    Return,
    Split,
    Unmerge,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationReturned,
)
from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import escalation_stream
from shared.eventlog.append import AppendUnit, recorded_commands
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, CommandRequest
from tests.integration.intake.conftest import NOW, Hands, hands_on
from tests.integration.intake.signals.test_receiving import DISK, receive, types
from tests.support.servers.servers import Database

INC = "INC-000001"

FORCED = Resolve(note="rebooted", force=True, reason="the probe is unplugged")
"""Resolves what still fires."""


def wanted(wish: AnyCommand, ref: str | None = INC, **more: Any) -> PendingCommand:
    about = "incident" if ref is None or ref.startswith("INC-") else "record"
    request = CommandRequest[Any](
        **{about: ref},
        actor=more.pop("actor", "person:nadia"),
        scopes=more.pop("scopes", ("agent",)),
        body=wish,
        **more,
    )
    return PendingCommand.of(request)


def done(hands: Hands, wish: AnyCommand, *args: Any, **more: Any) -> CommandAnswer:
    (answer,) = hands.commands.flush([wanted(wish, *args, **more)])
    assert isinstance(answer, CommandAnswer), answer
    return answer


def refused(hands: Hands, wish: AnyCommand, *args: Any, **more: Any) -> HttpError:
    (answer,) = hands.commands.flush([wanted(wish, *args, **more)])
    assert isinstance(answer, HttpError), answer
    return answer


@pytest.fixture
def opened(hands: Hands) -> Hands:
    receive(hands, DISK)
    return hands


def test_a_command_is_recorded_and_answers_its_positions(opened: Hands) -> None:
    answer = done(opened, Acknowledge())

    assert answer.outcome == "recorded"
    recorded = opened.log.since(2, 10)
    assert answer.positions == [entry.position for entry in recorded]
    assert answer.version == recorded[-1].version


def test_a_command_whose_wish_is_so_already_appends_nothing(opened: Hands) -> None:
    done(opened, Acknowledge())
    before = types(opened)

    assert done(opened, Acknowledge()).outcome == "already"
    assert types(opened) == before


def test_a_key_used_again_answers_as_the_first_time(opened: Hands) -> None:
    key = UUID(int=7)
    first = done(opened, Inform(message="we are on it"), command_id=key)
    done(opened, Inform(message="still on it"))

    again = done(opened, Inform(message="we are on it"), command_id=key)

    assert again.outcome == "repeated"
    assert (again.positions, again.version) == (first.positions, first.version)


def test_a_key_used_twice_in_one_batch_answers_both_times_as_the_first(
    opened: Hands,
) -> None:
    """As where a command is sent again and both reach the same process."""
    key = UUID(int=7)
    wish = [wanted(Acknowledge(), command_id=key, if_match=1) for _ in range(2)]

    first, again = opened.commands.flush(wish)

    assert isinstance(first, CommandAnswer)
    assert isinstance(again, CommandAnswer)
    assert (first.outcome, again.outcome) == ("recorded", "repeated")
    assert again.positions == first.positions


def test_a_key_used_for_something_else_is_refused(opened: Hands) -> None:
    key = UUID(int=7)
    done(opened, Inform(message="we are on it"), command_id=key)

    no = refused(opened, Inform(message="other words"), command_id=key)

    assert no.details.status == 422
    assert no.details.code == "idempotency_key"


def test_opening_twice_with_one_key_opens_once(hands: Hands) -> None:
    key = UUID(int=9)
    wish = Open(title="printer", reporter="lefevre", channel="phone")

    first = done(hands, wish, None, command_id=key)
    again = done(hands, wish, None, command_id=key)

    assert again.incident == first.incident
    assert types(hands).count("incident.opened") == 1


def test_a_version_that_was_not_expected_is_a_412(opened: Hands) -> None:
    assert refused(opened, Acknowledge(), if_match=7).details.status == 412
    assert done(opened, Acknowledge(), if_match=1).outcome == "recorded"


def test_an_unknown_incident_is_a_404_and_a_wrong_state_a_409(opened: Hands) -> None:
    assert refused(opened, Acknowledge(), "INC-999999").details.status == 404
    done(opened, Cancel(reason="not_an_incident"))
    assert refused(opened, Resolve()).details.status == 409


def test_a_refusal_is_journalled_and_the_log_does_not_know_of_it(
    opened: Hands,
) -> None:
    before = types(opened)
    refused(opened, Assign(team="nobody"))

    with opened.log.transaction() as cursor:
        rows = cursor.execute("SELECT actor, verb, code FROM intake.refusals")
        assert rows.fetchall() == [("person:nadia", "assign", "invalid")]
    assert types(opened) == before


def test_what_was_escalated_goes_back_to_the_desk_and_to_whoever_had_it(
    opened: Hands, owner: EventLog
) -> None:
    mine = Assign(team="desk", assignee="nadia")
    back = Assign(team="desk", assignee="nadia", reason="Nothing is wrong with it")
    done(opened, mine)
    escalated = {"from_level": "n1", "to_level": "n2", "team": "support"}
    says(owner, Escalated, **escalated, cause="by_hand", escalated_at=NOW)
    says(owner, EscalationAccepted, level="n2", person="amina", how="accepted")

    assert "say in `reason`" in refused(opened, mine).details.detail
    assert done(opened, back).outcome == "recorded"
    assert done(opened, back).outcome == "already"

    returned = {"from_level": "n2", "to_level": "n1", "team": "desk"}
    says(owner, EscalationReturned, **returned, returned_at=NOW)
    assert done(opened, mine).outcome == "already"
    assert done(opened, Return(reason="Ours")).outcome == "already"


def says(owner: EventLog, kind: type[Any], **words: Any) -> None:
    """Let the escalation service say something about INC."""
    stream = escalation_stream(INC)
    head = {"incident": INC, "policy": 1, "cycle": 1, "at": NOW, "by": "system:x"}
    event = kind(**head, **words)
    written = owner.stored(stream, owner.head_version(stream) + 1, event)
    with owner.transaction() as cursor:
        owner.append(cursor, [AppendUnit((written,))])


def test_commands_of_one_batch_see_each_other(opened: Hands) -> None:
    answers = opened.commands.flush(
        [wanted(Acknowledge()), wanted(Acknowledge()), wanted(FORCED)]
    )

    outcomes = [a.outcome for a in answers if isinstance(a, CommandAnswer)]
    assert outcomes == ["recorded", "already", "recorded"]


def test_thirty_two_writers_on_one_incident_all_get_in_one_version_each(
    ruled: Database,
) -> None:
    desks = [hands_on(ruled, pool_size=2) for _ in range(32)]
    receive(desks[0], DISK)

    def inform(n: int) -> CommandAnswer:
        message = Inform(message=f"message {n}")
        return done(desks[n], message, command_id=UUID(int=n + 1))

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(inform, range(32)))

    entries = desks[0].log.history(f"incident-{INC}")
    assert [entry.version for entry in entries] == list(range(1, 34))
    told = [position for answer in answers for position in answer.positions]
    assert sorted(told) == [entry.position for entry in entries[1:]]


def test_merging_moves_the_keys_and_unmerging_brings_them_back(hands: Hands) -> None:
    other = DISK.model_copy(update={"dedup_key": "web-2/disk"})
    receive(hands, DISK, other)

    done(hands, Merge(into="INC-000002"))
    (merged,) = receive(hands, DISK.model_copy(update={"action": "resolve"}))
    done(hands, Unmerge())
    (back,) = receive(hands, DISK)

    assert merged.incident == "INC-000002"
    assert back.incident == INC


def test_splitting_opens_an_incident_for_the_keys_that_go(hands: Hands) -> None:
    other = DISK.model_copy(update={"dedup_key": "web-2/disk"})
    receive(hands, DISK, other)
    done(hands, Merge(into=INC), "INC-000002")
    (key,) = (
        entry.event.signal_key
        for entry in hands.log.history("incident-INC-000002")
        if isinstance(entry.event, IncidentOpened)
    )

    assert key
    answer = done(hands, Split(title="web-2 is another story", signal_keys=(key,)))
    (result,) = receive(hands, other.model_copy(update={"severity": "critical"}))

    assert result.incident not in (INC, "INC-000002")
    assert answer.incident == INC


def test_a_link_to_nothing_is_refused(opened: Hands) -> None:
    no = refused(opened, Link(relation="related", target="INC-000777"))

    assert no.details.status == 422


def test_what_was_recorded_is_known_by_its_command_id(opened: Hands) -> None:
    key = UUID(int=3)
    answer = done(opened, Acknowledge(), command_id=key)

    with opened.log.transaction() as cursor:
        ((_, first, last),) = recorded_commands(cursor, [key]).values()
    assert list(range(first, last + 1)) == answer.positions


def test_commands_too_large_for_one_transaction_are_all_answered(
    opened: Hands,
) -> None:
    words = "é" * 10_000
    answers = opened.commands.flush(
        [wanted(Inform(message=f"{n} {words}"[:10_000])) for n in range(60)]
    )

    assert all(isinstance(answer, CommandAnswer) for answer in answers)
    assert types(opened).count("incident.informed") == 60


@pytest.mark.parametrize("wish", [Acknowledge(), Assign(team="support")])
def test_a_preview_decides_as_the_command_would_and_records_nothing(
    opened: Hands, wish: AnyCommand
) -> None:
    before, journalled = types(opened), _refusals(opened)

    previewed = done(opened, wish, preview=True)
    assert (previewed.outcome, previewed.positions) == ("would_record", [])
    assert types(opened) == before
    recorded = done(opened, wish, if_match=previewed.version)
    assert recorded.outcome == "recorded"
    assert done(opened, wish, preview=True).outcome == "already"

    no = refused(opened, Resolve(), preview=True)
    assert no.details.code == "firing"
    assert _refusals(opened) == journalled


def test_a_preview_does_not_disturb_the_commands_of_its_batch(opened: Hands) -> None:
    wishes = [
        wanted(Acknowledge(), preview=True),
        wanted(Acknowledge()),
        wanted(Cancel(reason="test"), "INC-000099", preview=True),
    ]

    first, second, third = opened.commands.flush(wishes)

    assert isinstance(second, CommandAnswer)
    assert second.outcome == "recorded"
    assert isinstance(first, CommandAnswer)
    assert first.outcome == "already"
    assert isinstance(third, HttpError)
    assert third.details.code == "unknown_incident"


def _refusals(hands: Hands) -> int:
    with hands.log.transaction() as cursor:
        (found,) = cursor.execute("SELECT count(*) FROM intake.refusals").fetchall()
    return int(found[0])
