"""Over which methods a person is notified of something, and when. Pure.

Only verified methods are used. Without rules of the person's own, an important notice
goes by mail and over the loudest other method at once, and over the rest five minutes
later; other notices go by mail, or over the quietest method.

Quiet hours hold back everything but important notices.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.contact_methods.state import ContactMethod, ContactMethods
from shared.domain.events.contact_method import (
    ContactKind,
    NotificationRule,
    QuietHours,
)

Importance = Literal["default", "important"]

LOUDNESS: Sequence[ContactKind] = (
    "voice",
    "sms",
    "ntfy",
    "web_push",
    "apprise",
    "slack",
    "mattermost",
    "matrix",
    "mail",
)
"""The kinds of methods, those first that are most likely to wake somebody."""
SECOND_DELAY = timedelta(minutes=5)
"""When the other methods follow if a person has set no rules."""
_DAY = timedelta(days=1)


class Attempt(NamedTuple):
    """One message over one method; `number` counts those over it, from 1."""

    method: ContactMethod
    number: int
    due_at: datetime


class Plan(NamedTuple):
    """The messages about one thing to one person, in the order in which they are due.

    `held_until` is the end of the quiet hours that hold the first one back.
    """

    attempts: tuple[Attempt, ...]
    held_until: datetime | None = None


def plan(held: ContactMethods, importance: Importance, at: datetime) -> Plan | None:
    """Return how a person is notified from `at` on; None without a verified method."""
    verified = {each.id: each for each in held.verified()}
    if not verified:
        return None
    rules = [each for each in _own(held, importance) if each.method in verified]
    if not rules:
        rules = list(_standard(list(verified.values()), importance))
    start, quiet = at, held.rules.quiet_hours if held.rules else None
    if quiet is not None and importance == "default":
        start = end_of_quiet(quiet, at)
    attempts = sorted(
        (
            Attempt(verified[rule.method], n, start + _after(rule, n))
            for rule in _without_repeats(rules)
            for n in range(1, rule.repeat + 1)
        ),
        key=lambda each: each.due_at,
    )
    return Plan(tuple(attempts), start if start > at else None)


def end_of_quiet(quiet: QuietHours, at: datetime) -> datetime:
    """Return when quiet hours that hold at `at` end; `at` outside of them.

    A local time that does not exist is the instant at which clocks go forward.
    """
    zone = ZoneInfo(quiet.zone)
    begins, ends = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    today = at.astimezone(zone).date()
    for day in (today - _DAY, today):
        start = datetime.combine(day, begins, zone).astimezone(at.tzinfo)
        last = day if ends > begins else day + _DAY
        end = datetime.combine(last, ends, zone).astimezone(at.tzinfo)
        if start <= at < end:
            return end
    return at


def _own(held: ContactMethods, importance: Importance) -> Sequence[NotificationRule]:
    if held.rules is None:
        return ()
    return held.rules.default if importance == "default" else held.rules.important


def _standard(
    verified: Sequence[ContactMethod], importance: Importance
) -> Iterator[NotificationRule]:
    """Yield the rules of somebody who has set none."""
    by_mail = [each for each in verified if each.kind == "mail"]
    loud = sorted(
        (each for each in verified if each.kind != "mail"),
        key=lambda each: LOUDNESS.index(each.kind),
    )
    if importance == "default":
        yield NotificationRule(method=(by_mail or loud[::-1])[0].id)
        return
    for each in (*by_mail, *loud[:1]):
        yield NotificationRule(method=each.id)
    for each in loud[1:]:
        seconds = int(SECOND_DELAY.total_seconds())
        yield NotificationRule(method=each.id, delay_seconds=seconds)


def _without_repeats(rules: Iterable[NotificationRule]) -> list[NotificationRule]:
    """Return the first rule of each method: numbers of messages must differ."""
    return list({rule.method: rule for rule in reversed(list(rules))}.values())[::-1]


def _after(rule: NotificationRule, number: int) -> timedelta:
    return timedelta(seconds=rule.delay_seconds + (number - 1) * rule.every_seconds)
