"""A process whose lease was taken records nothing more, whatever it had begun."""

from collections.abc import Iterator

import pytest

from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers

_TAKEN = """
UPDATE escalation.leases SET fence = fence + 1, holder = 'another machine',
    expires_at = clock_timestamp() + interval '4.9 s'
"""
_RENEWED = """
UPDATE escalation.leases SET expires_at = clock_timestamp() + interval '4.9 s'
WHERE holder = 'another machine'
"""
_GIVEN_BACK = "UPDATE escalation.leases SET expires_at = clock_timestamp()"
_ROW = "SELECT sent, attempts, next_at FROM escalation.outbox WHERE incident = %s"


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder) as running:
        yield running


def until_logged(desk: CallingDesk, word: str) -> None:
    """Wait for a word in escalation's log; the other machine renews the lease."""

    def is_logged() -> bool:
        desk.sql(_RENEWED)
        return word in desk.desk.output("escalation")

    until(is_logged, word)


def test_a_former_sender_notes_nothing_of_what_it_had_begun(desk: CallingDesk) -> None:
    """Its successor may be at the same notification: what it notes would mislead."""
    desk.inbox.hang = True
    incident = desk.open()
    desk.until_said(incident, "notification.sent")
    begun = desk.sql(_ROW, incident)
    desk.sql(_TAKEN)
    until_logged(desk, "outbox.lease_lost")
    desk.inbox.gives_up = True
    until_logged(desk, "notification.left_to_another")

    assert desk.sql(_ROW, incident) == begun
    assert desk.count(incident, "notification.sent") == 1
    assert desk.count(incident, "notification.failed") == 0
    desk.inbox.hang = False
    desk.sql(_GIVEN_BACK)
    until(
        lambda: desk.count(incident, "notification.confirmed") == 1,
        "it leaves, once the lease is ours again",
    )
    assert desk.mails_about(incident) == 1
