"""Since when a resolved incident has been silent, and when that is long enough."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.intake.auto_close.rules import Silence, silence
from shared.domain.events import AnyEvent
from shared.domain.events.incident import (
    IncidentClosed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
)
from shared.domain.events.notification import (
    NotificationConfirmed,
    NotificationFailed,
    NotificationRequested,
)
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from tests.support.policies import full
from tests.unit.intake.commands.scenario import (
    INC,
    POLICY,
    called,
    event,
    opened,
    reported,
)

# A Monday at 17:00 in Mons, whose desk opens from 8:30 to 12:00 and 13:00 to 17:30:
# twelve of its hours later it is Wednesday, 12:00.
MONDAY = datetime(2025, 7, 7, 15, tzinfo=UTC)
DUE = datetime(2025, 7, 9, 10, tzinfo=UTC)

restored = event(IncidentRestored, at=MONDAY)
resolved = event(IncidentResolved, cycle=1, at=MONDAY)
by_users = (reported(), restored, resolved)


def entries(stream: str, *events: AnyEvent) -> list[Entry]:
    return [
        Entry(n, stream, n, each.type, MONDAY, None, each)
        for n, each in enumerate(events, start=1)
    ]


def asked(key: str = "k1", **fields: Any) -> NotificationRequested:
    usual = {
        "key": key,
        "kind": "resolved",
        "audience": "user",
        "channel": "mail",
        "person": "lefevre",
        "cause_stream": f"incident-{INC}",
        "cause_version": 3,
    }
    return event(NotificationRequested, **{**usual, **fields})


def confirmed(key: str = "k1") -> NotificationConfirmed:
    return event(NotificationConfirmed, key=key, attempts=1, receipt="250")


def failed(key: str = "k1") -> NotificationFailed:
    return event(NotificationFailed, key=key, attempts=9, reason="no address")


def after(
    *history: AnyEvent,
    notices: tuple[AnyEvent, ...] = (),
    policy: Policy = POLICY,
) -> Silence | None:
    return silence(
        entries(f"incident-{INC}", *history),
        entries(f"escalation-{INC}", *notices),
        lambda _: policy,
    )


def due_at(*notices: AnyEvent) -> datetime | None:
    found = after(*by_users, notices=notices)
    assert found is not None
    return found.due_at


def test_what_nobody_reported_is_closed_after_open_hours_of_silence() -> None:
    assert after(opened(), restored, resolved) == Silence(INC, 1, DUE)


def test_what_users_reported_waits_for_its_final_message() -> None:
    assert due_at() is None
    assert due_at(asked()) is None
    assert due_at(asked(), confirmed()) == DUE


def test_a_message_that_will_never_leave_is_waited_for_no_longer() -> None:
    assert due_at(asked(), failed()) == DUE


def test_every_user_has_a_message() -> None:
    both = (asked("k1"), asked("k2", person="costa"))

    assert due_at(*both, confirmed("k1")) is None
    assert due_at(*both, confirmed("k1"), failed("k2")) == DUE


def test_other_messages_are_not_the_final_one() -> None:
    restoration = asked(kind="restored", cause_version=2)
    earlier = asked(cause_version=1)
    to_staff = asked(audience="staff")

    for other in (restoration, earlier, to_staff):
        assert due_at(other, confirmed()) is None


def test_who_answers_is_not_silent() -> None:
    assert after(*by_users, called()) is None
    assert after(*by_users, called(), called(direction="outbound")) is None


def test_calling_the_user_breaks_no_silence() -> None:
    found = after(opened(), restored, resolved, called(direction="outbound"))

    assert found == Silence(INC, 1, DUE)


def test_who_called_before_it_was_resolved_may_be_silent_since() -> None:
    found = after(reported(), called(), restored, resolved)

    assert found is not None


def test_resolved_anew_the_silence_begins_anew() -> None:
    later = MONDAY + timedelta(days=1)
    again = event(
        IncidentReopened, cycle=2, cause="agent", after_closure=False, at=MONDAY
    )
    restored_again = event(IncidentRestored, at=later)
    resolved_again = event(IncidentResolved, cycle=2, at=later)

    history = (opened(), restored, resolved, called(), again)
    assert after(*history) is None
    found = after(
        *history,
        restored_again,
        resolved_again,
        notices=(asked(cause_version=7), confirmed()),
    )
    assert found == Silence(INC, 2, datetime(2025, 7, 10, 10, tzinfo=UTC))


def test_what_is_not_resolved_or_closed_already_is_not_waited_for() -> None:
    assert after() is None
    assert after(opened(), restored) is None
    assert after(opened(), restored, resolved, event(IncidentClosed)) is None


def test_it_is_counted_by_the_policy_it_was_resolved_under() -> None:
    longer = full(("close_after: 12h", "close_after: 12h30m"))
    history = (opened(), restored, resolved.model_copy(update={"policy": 2}))

    found = silence(
        entries(f"incident-{INC}", *history),
        [],
        lambda version: {1: POLICY, 2: longer}[version],
    )

    assert found == Silence(INC, 1, datetime(2025, 7, 9, 11, 30, tzinfo=UTC))
