"""Silence for too long is trouble, a beat ends it, and a deaf desk accuses nobody."""

from datetime import UTC, datetime, timedelta

from services.intake.heartbeats.rules import (
    Beating,
    HeartbeatTerms,
    beaten,
    judged,
    known,
    told,
)
from tests.support.policies import full

NOW = datetime(2025, 6, 30, 2, tzinfo=UTC)
DAY, GRACE, MINUTE = timedelta(days=1), timedelta(minutes=30), timedelta(minutes=1)
NAME, SOURCE = "backup-nightly", "quais"
AT_ONCE = HeartbeatTerms(1, full())
FIRST_BEAT = HeartbeatTerms(1, full(("armed: at_once, ", "")))
OFTEN = HeartbeatTerms(1, full(("every: 24h, grace: 30m", "every: 5m, grace: 1m")))


def beating(terms: HeartbeatTerms = AT_ONCE, at: datetime = NOW) -> Beating:
    return beaten(known(NAME, terms, at), terms, at, SOURCE)


def silent(terms: HeartbeatTerms = AT_ONCE) -> Beating:
    return judged(beating(terms), terms, NOW + 2 * DAY, None)


def test_the_next_beat_is_expected_within_its_time_and_grace() -> None:
    held = beating()

    assert held.due_at == NOW + DAY + GRACE
    assert held.state == "beating"


def test_until_then_nothing_is_said() -> None:
    held = beating()

    assert judged(held, AT_ONCE, NOW + DAY + GRACE - MINUTE, None) == held


def test_silence_is_true_from_then_on_however_late_it_is_noticed() -> None:
    held = judged(beating(), AT_ONCE, NOW + DAY + 5 * GRACE, None)

    assert held.state == "silent"
    assert held.owes == "silence"
    event = told(held, AT_ONCE.heartbeats[NAME])
    assert event["action"] == "trigger"
    assert event["occurred_at"] == "2025-07-01T02:30:00Z"
    assert event["service"] == "horaires"
    assert event["details"]["last_beat_at"] == "2025-06-30T02:00:00Z"


def test_a_silence_is_told_once() -> None:
    held = silent()

    assert judged(held, AT_ONCE, NOW + 9 * DAY, None) == held


def test_a_beat_ends_the_silence_and_says_when() -> None:
    before = silent()

    held = beaten(before, AT_ONCE, NOW + 2 * DAY, SOURCE)

    assert held.state == "beating"
    assert held.due_at == NOW + 3 * DAY + GRACE
    event = told(held, AT_ONCE.heartbeats[NAME])
    trigger = told(before, AT_ONCE.heartbeats[NAME])
    assert event["action"] == "resolve"
    assert event["dedup_key"] == trigger["dedup_key"] == "heartbeat:backup-nightly"
    assert event["event_id"] != trigger["event_id"]
    assert event["occurred_at"] == "2025-07-02T02:00:00Z"


def test_until_a_recovery_was_told_no_new_silence_begins() -> None:
    held = beaten(silent(), AT_ONCE, NOW + 2 * DAY, SOURCE)

    assert judged(held, AT_ONCE, NOW + 9 * DAY, None) == held


def test_a_beat_that_comes_before_anybody_noticed_is_just_a_beat() -> None:
    held = beaten(beating(), AT_ONCE, NOW + 2 * DAY, SOURCE)

    assert held.owes is None


def test_what_is_armed_at_once_is_expected_from_when_the_policy_is_applied() -> None:
    held = known(NAME, AT_ONCE, NOW)

    assert held.due_at == NOW + DAY + GRACE
    late = judged(held, AT_ONCE, NOW + 2 * DAY, None)
    assert told(late, AT_ONCE.heartbeats[NAME])["details"]["last_beat_at"] == "never"


def test_what_is_armed_by_its_first_beat_may_be_silent_until_then() -> None:
    held = known(NAME, FIRST_BEAT, NOW)

    assert judged(held, FIRST_BEAT, NOW + 99 * DAY, None) == held
    assert held.state == "waiting"


def test_a_policy_that_wants_beats_more_often_counts_from_the_last_one() -> None:
    newer = HeartbeatTerms(2, OFTEN.policy)

    held = judged(beating(), newer, NOW + MINUTE, None)

    assert (held.policy, held.due_at) == (2, NOW + 6 * MINUTE)


def test_a_policy_that_gives_up_a_calendar_or_gets_one_counts_in_its_hours() -> None:
    daily = ("every: 24h, grace: 30m,", "every: 1h, calendar: jour,")
    terms = HeartbeatTerms(1, full(daily))
    friday = datetime(2025, 6, 27, 13, 30, tzinfo=UTC)  # 15:30 there, open to 16:00

    held = beating(terms, friday)

    # Half an hour is left on Friday, the other one passes on Monday from 8:30.
    assert held.due_at == datetime(2025, 6, 30, 7, tzinfo=UTC)
    event = told(judged(held, terms, friday + 9 * DAY, None), terms.heartbeats[NAME])
    assert event["details"]["calendar"] == "jour"


def test_beats_nobody_could_hear_are_counted_as_if_they_had_come() -> None:
    deaf, again = NOW + 2 * MINUTE, NOW + 62 * MINUTE

    held = judged(beating(OFTEN), OFTEN, again, deaf)

    assert held.owes is None
    assert held.due_at == again + 6 * MINUTE
    assert held.last_beat_at == NOW
    late = judged(held, OFTEN, again + 9 * MINUTE, None)
    assert told(late, OFTEN.heartbeats[NAME])["details"]["counted_anew"] == (
        "the desk itself did not listen from 2025-06-30T02:02:00Z to "
        "2025-06-30T03:02:00Z, and counted from then"
    )


def test_a_beat_after_that_forgets_that_we_were_deaf() -> None:
    again = NOW + 62 * MINUTE
    held = judged(beating(OFTEN), OFTEN, again, NOW + 2 * MINUTE)

    assert beaten(held, OFTEN, again + MINUTE, SOURCE).deaf_from is None


def test_a_beat_that_was_not_expected_yet_is_not_given_more_time() -> None:
    held = beating()

    assert judged(held, AT_ONCE, NOW + 2 * GRACE, NOW + GRACE) == held


def test_what_was_overdue_before_we_were_deaf_is_silent() -> None:
    held = judged(beating(OFTEN), OFTEN, NOW + 99 * MINUTE, NOW + 7 * MINUTE)

    assert held.silent_since == NOW + 6 * MINUTE
