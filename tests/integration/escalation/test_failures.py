"""Killed, doubled, refused or without a log: what is to be told is told, in order."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from services.escalation.notifications import outbox
from services.escalation.notifications.channels.mail import MailChannel
from tests.support.builders.promises import local
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.desks.running import SERVICES, TWIN
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers
AT_ONCE_MAX = MailChannel.traits.at_once_max


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder) as running:
        yield running


def ids(desk: CallingDesk, person: str) -> list[str]:
    return [
        str(mail["Message-ID"]) for mail in desk.inbox.to(f"{person}@valmont.example")
    ]


def hanging(desk: CallingDesk) -> int:
    """Return how many mails about incidents are not answered by the mail server."""
    return sum("[INC-" in str(mail["subject"]) for mail in desk.inbox.hanging)


def test_killed_before_it_was_confirmed_the_same_leaves_again(
    desk: CallingDesk,
) -> None:
    desk.inbox.hang = True
    incident = desk.open()
    desk.until_said(incident, "notification.sent")
    until(lambda: hanging(desk) == 1, "the inbox has got it")
    desk.desk.services["escalation"].kill()
    desk.inbox.hang = False
    desk.desk.services["escalation"].start()
    desk.until_said(incident, "notification.confirmed")
    desk.until_quiet()

    kinds = [event.type for event in desk.said(incident)]
    assert kinds == [
        "notification.requested",
        "notification.sent",
        "notification.confirmed",
    ]
    assert getattr(desk.said(incident)[-1], "attempts", 0) == 2
    assert len(ids(desk, "roche")) == 1


def test_a_post_that_was_taken_and_not_confirmed_is_repeated_with_its_key(
    desk: CallingDesk,
) -> None:
    desk.postbox.hang = True
    incident = desk.open(reporter=None, channel=None)
    desk.desk.move_to(local("09:30"))
    until(lambda: len(desk.postbox.requests) == 1, "the first post")
    desk.desk.services["escalation"].kill()
    desk.postbox.hang = False
    desk.desk.services["escalation"].start()
    until(lambda: len(desk.postbox.requests) == 2, "the second post")
    desk.until_quiet()

    first, second = desk.postbox.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert json.loads(first.body) == json.loads(second.body)
    told = json.loads(second.body)
    assert (told["incident"], told["kind"]) == (incident, "page")
    assert told["title"] == "Totaux faux"
    assert desk.count(incident, "escalation.paged") == 1


def test_two_processes_tell_each_thing_once() -> None:
    both = (*SERVICES, f"escalation{TWIN}")
    with reachable_folder() as folder, calling_desk(folder, start=both) as desk:
        tell_each_thing_once(desk)


def tell_each_thing_once(desk: CallingDesk) -> None:
    desk.desk.leader("escalation", "outbox")
    fence_before = desk.sql("SELECT fence FROM escalation.leases WHERE name = 'outbox'")
    incidents = [desk.open(reporter="roche") for _ in range(12)]
    desk.desk.move_to(local("09:45"))
    for incident in incidents:
        desk.until_said(incident, "notification.confirmed", 5)
    desk.until_quiet()

    for incident in incidents:
        kinds = [event.type for event in desk.said(incident)]
        assert kinds.count("escalation.escalated") == 1
        assert kinds.count("escalation.paged") == 2
        keys = [e.key for e in desk.said(incident) if e.type == "notification.sent"]
        assert len(keys) == len(set(keys)) == kinds.count("notification.requested")
    # Who stands still loses the lease: the other sends what it had under way again.
    fence_after = desk.sql("SELECT fence FROM escalation.leases WHERE name = 'outbox'")
    repeated = len(ids(desk, "roche")) - len(set(ids(desk, "roche")))
    assert len(set(ids(desk, "roche"))) == 24
    assert repeated == 0 or fence_after != fence_before, "one process sends each once"


def test_what_one_person_is_told_of_an_incident_keeps_its_order(
    desk: CallingDesk,
) -> None:
    desk.inbox.refuse_content = "451 4.3.0 later"
    incident = desk.open()
    desk.until_said(incident, "notification.sent")
    steps = {"acknowledge": {}, "inform": {"message": "Ça vient"}, "resolve": {}}
    for n, (verb, body) in enumerate(steps.items(), start=1):
        desk.desk.move_to(local(f"09:10:0{n}"))
        desk.post(f"/v1/incidents/{incident}/{verb}", body)
        desk.until_said(incident, "notification.requested", n + 1)
    assert desk.count(incident, "notification.sent") == 1
    desk.inbox.refuse_content = None
    desk.desk.move_to(local("09:12"))
    desk.until_said(incident, "notification.confirmed", 4)

    sent = [e.key for e in desk.said(incident) if e.type == "notification.sent"]
    asked = [e.key for e in desk.said(incident) if e.type == "notification.requested"]
    assert sent == asked
    assert len(desk.to("roche")) == 4


def test_a_mail_server_that_is_away_is_an_alarm_and_stops_no_start(
    desk: CallingDesk,
) -> None:
    desk.inbox.refuse_content = "451 4.3.0 later"
    incident = desk.open()
    desk.until_said(incident, "notification.sent")
    desk.desk.move_to(local("09:30"))
    desk.desk.services["escalation"].kill()
    desk.desk.services["escalation"].start()

    desk.desk.wait_ready(("escalation",))

    desk.desk.check(
        "escalation",
        "outbox",
        lambda said: said.get("alarm", "").startswith("a message has "),
    )


def test_another_is_not_held_up_by_who_cannot_be_reached(desk: CallingDesk) -> None:
    desk.sql("UPDATE directory.people SET email = 'no' WHERE id = 'roche'")
    incident = desk.open()
    desk.desk.move_to(local("09:30"))
    desk.until_said(incident, "notification.confirmed", 2)

    assert len(desk.to("bruno")) == 1


def test_a_page_waits_for_no_letters_that_a_mail_server_lets_hang(
    desk: CallingDesk,
) -> None:
    desk.inbox.hang = True
    letters = [desk.open() for _ in range(2 * AT_ONCE_MAX)]
    until(lambda: hanging(desk) == AT_ONCE_MAX, "all that may hang at once")
    urgent = desk.open()
    desk.post(f"/v1/incidents/{urgent}/escalate", {"reason": "personne ici"})
    until(lambda: len(desk.postbox.requests) == 1, "the page by webhook")
    told = json.loads(desk.postbox.requests[0].body)

    assert (told["incident"], told["kind"]) == (urgent, "page")
    # On a busy machine some were given up meanwhile, and the next ones hang.
    confirmed = [desk.count(each, "notification.confirmed") for each in letters]
    assert set(confirmed) == {0}
    assert hanging(desk) <= AT_ONCE_MAX


def test_staff_are_written_to_before_users_who_have_waited_longer(
    desk: CallingDesk,
) -> None:
    desk.inbox.refuse_content = "451 4.3.0 later"
    users = [desk.open(), desk.open()]
    for incident in users:
        desk.until_said(incident, "notification.sent")
    desk.post(f"/v1/incidents/{users[-1]}/escalate", {"reason": "personne ici"})
    mails = "SELECT kind FROM escalation.outbox WHERE channel = 'mail'"
    until(lambda: ("page",) in desk.sql(mails), "the page waits, too")
    failed = (
        "SELECT count(*) FROM escalation.outbox"
        " WHERE kind = 'receipt' AND next_at > requested_at"
    )
    until(lambda: desk.sql(failed) == [(2,)], "both wait for another attempt")
    later = local("09:20")
    with psycopg.connect(desk.desk.database.owner_dsn) as connection:
        leaves = outbox.heads(connection.cursor(), "mail", later, [], 3)

    assert [(each.kind, each.incident) for each in leaves] == [
        ("page", users[-1]),
        ("receipt", users[0]),
        ("receipt", users[1]),
    ]


def test_without_the_log_it_waits_and_goes_on(desk: CallingDesk) -> None:
    incident = desk.open()
    desk.until_said(incident, "notification.confirmed")
    desk.desk.postgres.kill()
    desk.desk.move_to(local("09:30"))
    desk.desk.postgres.start().wait()
    desk.desk.wait_ready(SERVICES)
    desk.until_said(incident, "notification.confirmed", 4)
    desk.until_quiet()

    assert desk.count(incident, "escalation.paged") == 1
    assert len(desk.to("bruno")) == 1


def test_made_anew_from_the_log_it_says_nothing_again(desk: CallingDesk) -> None:
    incident = desk.open()
    desk.desk.move_to(local("09:45"))
    desk.until_said(incident, "notification.confirmed", 6)
    desk.post(f"/v1/incidents/{incident}/accept", who="chloe")
    desk.until_read()
    desk.until_quiet()
    before, mails = desk.said(incident), desk.mails_about(incident)
    desk.desk.services["escalation"].stop()
    for table in ("cases", "tracking", "outbox"):
        desk.sql(f"DELETE FROM escalation.{table}")
    desk.desk.services["escalation"].start()
    desk.desk.wait_ready(["escalation"])
    desk.until_read()
    desk.until_quiet()

    assert desk.said(incident) == before
    assert desk.mails_about(incident) == mails


def test_what_cannot_be_noted_holds_up_nobody_else(desk: CallingDesk) -> None:
    stuck = [desk.open() for _ in range(AT_ONCE_MAX + 1)]
    desk.until_quiet()
    desk.sql("UPDATE escalation.cases SET versions = '{}'")
    desk.desk.move_to(local("09:11"))
    for incident in stuck:
        desk.sql(_OUTBOX, f"again-{incident}", incident, f"incident-{incident}")
    incident = desk.open(reporter="petit")
    desk.until_said(incident, "notification.confirmed")

    assert len(desk.to("petit")) == 1


_OUTBOX = """
INSERT INTO escalation.outbox VALUES (
    %s, 1, %s, 1, 'receipt', 'mail', 'roche', %s, 1, '2025-06-30', false, 0,
    '2025-06-30'
)
"""
