"""Mail about being on call: once for each reason, and not if it is no longer so."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import NoReturn

import pytest

from services.escalation.notifications.queued_messages import AGAIN
from services.escalation.on_call import recorder
from services.escalation.on_call_mail import store
from services.escalation.on_call_mail.letters import OnCallLetters
from services.escalation.on_call_mail.store import MailRequest
from shared import on_call_history
from shared.domain.events.contact_method import PersonContactMethodRemoved
from shared.domain.identifiers import person_stream
from tests.support.builders.june_log import June, june
from tests.support.desks.on_call.recording import (
    GARDE,
    SAME,
    TURNS,
    Observer,
    Post,
    open_post,
)
from tests.support.policies import full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def month(database: Database) -> Iterator[June]:
    month = June(database)
    with closing(month.log):
        yield month


@pytest.fixture
def observer(month: June) -> Iterator[Observer]:
    observer = Observer(month)
    with closing(observer.log):
        yield observer


@pytest.fixture
def post(observer: Observer) -> Iterator[Post]:
    with open_post(observer) as post:
        yield post


def test_both_hear_of_a_hand_over_once_also_after_a_crash(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied(full_text((GARDE, f"{GARDE}\n  nuit: {SAME}")))
    month.now = june(8, 12)
    observer.looks()
    post.sends()
    reminded = len(post.inbox.mails)
    month.now = june(9, 6)
    observer.looks()
    post.sends(lets_die=True)
    month.now += AGAIN
    post.sends()
    observer.looks()
    month.now += AGAIN
    post.sends()

    mails = [
        (mail["Message-ID"], to[0])
        for mail, to in post.inbox.delivered[reminded:]
        if not to[0].startswith("ghislaine")  # it is Monday: she gets her report
    ]
    keys = {*mails}
    assert len(keys) == 2  # one mail for each, although there are two schedules
    assert len(mails) == 4  # sent again under the same key, since nobody knew
    old, new = post.to("ines")[-1], post.to("jos")[-1]
    assert "Your standby has ended" in old
    assert "garde: now Jos" in old
    assert "nuit: now Jos" in old
    assert "Vous êtes d’astreinte" in new
    assert "Aucun incident n’est ouvert." in new


def test_people_are_reminded_a_day_before_their_shift(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied()
    month.now = june(8, 5)
    observer.looks()
    post.sends()
    assert post.inbox.mails == []
    for hour in (7, 8, 20):
        month.now = june(8, hour)
        observer.looks()
        post.sends()

    (mail,) = post.to("jos")
    assert "Votre astreinte commence bientôt" in mail
    assert "garde, du lundi 9 juin 2025 à 08:00" in mail


def test_a_manager_hears_of_a_gap_at_once_and_every_monday(
    month: June, observer: Observer, post: Post
) -> None:
    until = TURNS + ', until: "2025-06-18T08:00"'
    month.applied(full_text((TURNS, until)))
    for day, hour in ((8, 12), (9, 5), (9, 6), (9, 12), (16, 5)):
        month.now = june(day, hour)
        observer.looks()
        post.sends()

    report, alarm = post.to("ghislaine")
    assert "On call in the next weeks: there are gaps" in report
    assert "https://desk.example/on-call\r" in report
    assert "garde, from Wednesday 18 June 2025 at 08:00" in report
    assert "Alarm: nobody will be on call" in alarm


def test_everybody_on_standby_gets_a_statement_once_a_month_has_ended(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied()
    month.now = june(8)
    observer.looks()
    for days, hours in ((0, 17), (14, 9), (15, 9)):
        month.now = june(30, 12) + timedelta(days=days, hours=hours)
        observer.recorder.begin()  # nobody was elected on the first of the month
        observer.looks()
        post.sends()

    (statement,) = [each for each in post.to("ines") if "of last month" in each]
    assert "- Standby: 30 hours" in statement  # from the 8th at midnight on
    assert "- No interventions" in statement


def test_a_statement_waits_until_the_history_of_every_schedule_is_complete(
    month: June, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ValueError("it cannot be read")

    month.applied()
    month.now = june(8)
    observer.looks()
    month.now = june(30, 12) + timedelta(days=7)
    with monkeypatch.context() as failing:
        failing.setattr(recorder, "versions_of", broken)
        observer.recorder.begin()
        observer.looks()
        assert "coverage_report" in _kinds(month)
        assert "monthly_statement" not in _kinds(month)
    month.now += timedelta(hours=1)
    observer.looks()

    assert "monthly_statement" in _kinds(month)


def test_statements_of_too_long_a_history_keep_no_other_mail_from_it(
    month: June, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_call_history, "STATED_MAX", 0)
    month.applied()
    month.now = june(8)
    observer.looks()
    month.now = june(30, 12) + timedelta(days=7)
    observer.looks()

    assert "coverage_report" in _kinds(month)
    assert "monthly_statement" not in _kinds(month)


def _kinds(month: June) -> list[str]:
    with month.log.transaction() as cursor:
        rows = cursor.execute("SELECT kind FROM escalation.on_call_mail").fetchall()
    return [kind for (kind,) in rows]


def test_a_gap_is_an_alarm_each_time_it_opens_and_not_once_it_is_closed(
    month: June, observer: Observer, post: Post
) -> None:
    with_gap = full_text((TURNS, TURNS + ', until: "2025-06-10T08:00"'))
    month.applied()
    for hour, text, is_sent in (
        (10, with_gap, True),
        (11, None, True),
        (12, with_gap, True),
        (13, None, True),
        (14, with_gap, False),
        (15, None, True),
    ):
        month.now = june(8, hour)
        month.applied(*([text] if text else []))
        observer.looks()
        if is_sent:
            post.sends()

    assert len(post.to("ghislaine")) == 2
    assert _kinds(month).count("on_call_gap") == 3


def test_nobody_is_reminded_of_a_shift_that_has_begun(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied()
    month.now = june(9, 5, 59)
    observer.looks()
    month.now = june(9, 6)
    post.sends()

    assert "shift_reminder" in _kinds(month)
    assert post.to("jos") == []


def _hand_off(schedule: str, at: datetime) -> MailRequest:
    about = {"schedule": schedule, "role": "primary", "side": "begins", "at": str(at)}
    return MailRequest(f"hand_off|jos|{schedule}", "hand_off", "jos", [about], at)


def test_requests_are_joined_until_the_first_one_is_taken_and_none_is_lost(
    month: June, observer: Observer
) -> None:
    at = month.now
    with observer.log.transaction() as cursor:
        store.request(cursor, [_hand_off("garde", at), _hand_off("nuit", at)], at)
        first = store.take(cursor, at + store.GATHERED)
        store.request(cursor, [_hand_off("soir", at)], at)
        again = store.take(cursor, at + store.GATHERED + AGAIN)
        late = store.take(cursor, at + store.GATHERED + AGAIN)

        assert first is not None
        assert again is not None
        assert late is not None
        taken = [first, again, late]
        assert sorted(
            tuple(about["schedule"] for about in each.about) for each in taken
        ) == [("garde", "nuit"), ("garde", "nuit"), ("soir",)]
        assert not store.over(cursor, first, "from a sender that was frozen")
        assert store.over(cursor, taken[2], "sent")


def test_reminders_of_different_days_are_not_joined(
    month: June, observer: Observer
) -> None:
    at = month.now
    days = [
        MailRequest(day, "shift_reminder", "jos", [{"day": day}], at)
        for day in ("2025-06-09", "2025-06-10")
    ]
    with observer.log.transaction() as cursor:
        store.request(cursor, days, at)
        taken = [store.take(cursor, at + store.GATHERED) for _ in days]

    assert [each and each.about for each in taken] == [each.about for each in days]


def test_a_mail_that_cannot_be_composed_is_a_failed_attempt_and_ends(
    month: June,
    observer: Observer,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise LookupError("a name")

    monkeypatch.setattr(OnCallLetters, "of", refuse)
    with observer.log.transaction() as cursor:
        store.request(cursor, [_hand_off("garde", month.now)], month.now)
    attempts = 0
    with post.sender() as mail:
        while True:
            month.now += 20 * AGAIN
            if not asyncio.run(mail.send_next()):
                break
            attempts += 1

    assert 50 < attempts < 200
    assert mail.failed_total == 1


def _swap(month: June, version: int, at: datetime, answer: str = "") -> None:
    """Let jos ask tariq for a swap, or record what followed."""
    about = {"schedule": "garde", "swap": f"garde.{version}"}
    if answer:
        by = "person:jos" if answer == "withdrawn" else "person:tariq"
        month.changes(at, f"on_call.swap_{answer}", by=by, **about)
        return
    month.changes(
        at,
        "on_call.swap_requested",
        by="person:jos",
        person="jos",
        other="tariq",
        start=june(12),
        end=june(13),
        **about,
    )


def test_a_swap_is_answered_from_a_mail_and_the_other_one_hears_of_it(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied()
    _swap(month, 1, june(7, 10))
    for hour in (10, 11):
        month.now = june(7, hour, 1)
        observer.looks()
        post.sends()
    (asked,) = post.to("tariq")
    _swap(month, 1, june(7, 12), "accepted")
    _swap(month, 3, june(7, 12, 1))
    observer.looks()
    _swap(month, 3, june(7, 12, 2), "withdrawn")
    observer.looks()
    post.sends()
    (answer,) = post.to("jos")

    assert "Jos asks you to take a shift over" in asked
    assert "https://desk.example/on-call/garde/swaps/garde.1" in asked
    assert "Tariq a accepté et vous remplace" in answer
    assert len(post.to("tariq")) == 1  # what was withdrawn at once is not sent


def test_the_report_lists_what_people_changed_since_the_last_one(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied()
    month.changes(
        june(1, 12),
        "on_call.override_added",
        by="person:ghislaine",
        schedule="garde",
        override="garde.1",
        kind="replace",
        add="tariq",
        remove="jos",
        start=june(12),
        end=june(13),
    )
    month.changes(
        june(3),
        "on_call.override_withdrawn",
        by="person:tariq",
        schedule="garde",
        override="garde.1",
    )
    month.changes(
        june(4),
        "on_call.absence_added",
        by="person:ines",
        person="ines",
        absence="ines.1",
        start=june(20),
        end=june(21),
    )
    month.now = june(9, 6)
    observer.looks()
    post.sends()

    (report,) = post.to("ghislaine")
    changes = report.partition("What people changed since the last report:")[2]
    lines = [line for line in changes.splitlines() if line.startswith("- ")]
    assert [line.partition(", from")[0] for line in lines] == [
        "- withdrawn: garde, Tariq instead of Jos",  # it was added before that week
        "- Ines is absent",
    ]
    assert lines[0].endswith("by Tariq")


def test_people_and_managers_hear_once_that_pages_may_not_reach_somebody(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied()
    post.verify("jos", None)
    month.now = june(5, 12)  # his shift begins on the ninth
    observer.looks()
    post.sends()
    assert post.inbox.mails == []
    post.verify("jos", june(5, 12))
    month.now = june(7, 12)
    observer.looks()
    post.verify("jos", None)
    month.now = june(7, 12, 1)
    removed = PersonContactMethodRemoved(
        at=month.now, by="person:jos", person="jos", method="sms.1"
    )
    month.log.record(person_stream("jos"), 0, [removed])
    for minute in (2, 3):
        month.now = june(7, 12, minute)
        observer.looks()
        post.sends()

    (told,), (alarm,) = post.to("jos"), post.to("ghislaine")
    assert "https://desk.example/me/contact-methods" in told
    assert "Alarm: pages may not reach people who are on call" in alarm
    assert "- garde, Jos, from Monday 9 June 2025 at 08:00" in alarm


def test_nobody_hears_of_a_person_who_verified_in_the_meantime(
    month: June, observer: Observer, post: Post
) -> None:
    month.applied()
    post.verify("jos", None)
    month.now = june(7, 12)
    observer.looks()
    post.verify("jos", june(7, 12))
    post.sends()

    assert _kinds(month).count("unverified_alarm") == 1
    assert post.inbox.mails == []
