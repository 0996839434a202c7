"""What people ask of the watcher on a real log: recorded once, refused in a journal."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.commands import decide_command, owners
from services.sla_watcher.extensions.store import require_evidence
from shared.domain.commands.sla import (
    AcceptExtension,
    AttributeBreach,
    ProposeExtension,
    SlaCommand,
)
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentContacted,
    IncidentRestored,
)
from shared.domain.events.sla import SlaExtensionProposed
from shared.domain.identifiers import sla_stream
from shared.eventlog.errors import StaleVersion
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, CommandRequest
from shared.process_manager.command_subscriber import CommandHandler
from shared.process_manager.worker import CaseBehindLog
from tests.support.builders.promises import local, shown
from tests.support.desks.watching import SlaDesk, happened, opened

pytestmark = pytest.mark.servers

INC = "INC-000001"
E1 = f"{INC}-E1"
MORE = ProposeExtension(new_due_at=local("07-01 10:00"), reason="La pièce manque.")
YES = AcceptExtension(accepted_by="roche", channel="phone", evidence="« Oui. »")


def commanding(desk: SlaDesk) -> CommandHandler[Case, PolicyOf]:
    return CommandHandler(
        desk.log,
        desk.another(),
        desk.clock,
        decide_command,
        owners,
        require_evidence,
    )


def request(
    wish: SlaCommand, record: str | None = None, key: UUID | None = None
) -> CommandRequest[Any]:
    return CommandRequest[SlaCommand](
        incident=INC,
        record=record,
        actor="person:paul",
        scopes=("agent", "manager"),
        command_id=key,
        body=wish,
    )


def asks(desk: SlaDesk, wish: SlaCommand, record: str | None = None) -> CommandAnswer:
    return commanding(desk).take(request(wish, record))


def reported(desk: SlaDesk) -> None:
    """One incident of Roche's, due at 15:00, and taken."""
    desk.happens(opened(1, desk.now, reporter="roche", by="person:roche"))
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    desk.walk(local("14:00"))


def test_a_longer_delay_is_asked_for_agreed_on_and_counts(desk: SlaDesk) -> None:
    reported(desk)

    first = asks(desk, MORE)
    assert (first.outcome, first.incident) == ("recorded", INC)
    asks(desk, YES, E1)
    desk.walk(local("07-01 10:00"))
    assert "ttr breached" not in desk.types()
    desk.walk(local("07-01 10:01"))

    said = [each for each in desk.types() if each.startswith("ttr ext")]
    assert said == ["ttr extension_proposed", "ttr extension_accepted"]
    assert desk.types()[-1] == "ttr breached"


def test_the_words_are_sealed_under_the_keys_of_whose_they_are(desk: SlaDesk) -> None:
    reported(desk)
    asks(desk, MORE)
    asks(desk, YES, E1)

    query = "SELECT convert_from(state, 'UTF8') FROM log.events WHERE topic LIKE %s"
    stored = str(desk.ask(query.replace("%s", "'sla.extension%'")))
    assert "pièce" not in stored
    assert "Oui." not in stored
    entries = desk.log.history(sla_stream(INC))
    (reason,) = [
        e.event.reason for e in entries if isinstance(e.event, SlaExtensionProposed)
    ]
    assert reason == "La pièce manque."
    keys = desk.ask("SELECT owner FROM vault.keys")
    assert {("person:paul",), ("person:roche",)} <= set(keys)


def test_the_same_key_is_answered_the_same_and_not_for_another_delay(
    desk: SlaDesk,
) -> None:
    reported(desk)
    key = uuid4()
    again = commanding(desk)

    first = again.take(request(MORE, key=key))
    assert again.take(request(MORE, key=key)).positions == first.positions
    key = uuid4()
    again.take(request(YES, E1, key))
    with pytest.raises(HttpError, match="used for another request"):
        again.take(request(YES, f"{INC}-E2", key))
    assert desk.types().count("ttr extension_proposed") == 1


def test_a_refusal_is_journalled_and_nothing_is_recorded(desk: SlaDesk) -> None:
    reported(desk)
    said = desk.said()

    for wish, record, status in (
        (AttributeBreach(party="provider"), None, 409),
        (YES, f"{INC}-E7", 404),
    ):
        with pytest.raises(HttpError) as no:
            asks(desk, wish, record)
        assert no.value.details.status == status

    assert desk.said() == said
    rows = desk.ask(
        "SELECT actor, verb, incident, code FROM sla.refusals ORDER BY 1, 2"
    )
    assert rows == [
        ("person:paul", "accept", INC, "unknown_extension"),
        ("person:paul", "attribute", INC, "state"),
    ]


def test_what_shows_whose_a_breach_is_is_in_the_log_about_this_incident(
    desk: SlaDesk,
) -> None:
    reported(desk)
    desk.walk(local("16:40"))
    contact = {
        "person": "roche",
        "direction": "inbound",
        "channel": "phone",
        "contacted_at": desk.now,
    }
    desk.happens(opened(2, desk.now))
    desk.happens(*(happened(IncidentContacted, n, desk.now, **contact) for n in (1, 2)))
    desk.read()
    rows = desk.ask("SELECT originator_id, topic, notification_id FROM log.events")
    at = {(stream, topic): position for stream, topic, position in rows}
    ours = at["incident-INC-000001", "incident.contacted"]
    users = AttributeBreach(party="user", reason="Rendez-vous annulé")

    for other in (
        at["incident-INC-000002", "incident.contacted"],
        at["incident-INC-000001", "incident.opened"],
        1_000_000,
    ):
        with pytest.raises(HttpError, match=f"position {other} of the log is not a"):
            asks(desk, users.model_copy(update={"evidence": (ours, other)}))
    done = asks(desk, users.model_copy(update={"evidence": (ours,)}))

    assert (done.outcome, desk.types()[-1]) == ("recorded", "ttr breach_attributed")


def test_what_was_not_read_yet_is_read_before_anything_is_decided(
    desk: SlaDesk,
) -> None:
    reported(desk)
    desk.happens(happened(IncidentRestored, 1, desk.now))

    with pytest.raises(CaseBehindLog):
        asks(desk, MORE)
    desk.read()
    with pytest.raises(HttpError, match="is over"):
        asks(desk, MORE)


def test_nothing_is_decided_beside_what_happens_at_that_very_moment(
    desk: SlaDesk,
) -> None:
    reported(desk)
    desk.now = local("15:00:30")
    back = happened(IncidentRestored, 1, local("14:59"))

    def slow(*given: Any) -> Any:
        desk.happens(back)  # committed after the case was read, before we append
        return decide_command(*given)

    late = CommandHandler(desk.log, desk.another(), desk.clock, slow, owners)
    with pytest.raises(StaleVersion):
        late.take(request(MORE))
    assert "ttr extension_proposed" not in desk.types()
    assert "ttr breached" not in desk.types()


def test_of_two_answers_at_once_one_counts(desk: SlaDesk) -> None:
    reported(desk)
    asks(desk, MORE)
    together = Barrier(2)

    def answer(_: int) -> str:
        own = commanding(desk)
        together.wait()
        for _ in range(20):
            try:
                return own.take(request(YES, E1)).outcome
            except (CaseBehindLog, StaleVersion):
                continue
        raise AssertionError("never taken")

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(answer, range(2)))

    assert outcomes == ["already", "recorded"]
    assert desk.types().count("ttr extension_accepted") == 1


@pytest.mark.parametrize("batch", [1, 2, 3, 200])
def test_a_memory_made_anew_knows_what_was_agreed(desk: SlaDesk, batch: int) -> None:
    reported(desk)
    asks(desk, MORE)
    desk.walk(local("14:30"))
    asks(desk, YES, E1)
    desk.walk(local("07-01 10:30"))
    asks(desk, AttributeBreach(party="user", reason="Absent"))
    desk.read()
    cases, said = desk.cases(), desk.said()

    desk.forget()
    desk.read(batch=batch)

    assert "ttr breached" in desk.types()
    assert (desk.cases(), desk.said()) == (cases, said)


def test_memory_holds_no_words_of_people(desk: SlaDesk) -> None:
    reported(desk)
    asks(desk, MORE)
    asks(desk, YES, E1)

    held = str(desk.cases())
    assert "pièce" not in held
    assert "Oui" not in held
    assert shown(desk.worker.next_at()) is not None
