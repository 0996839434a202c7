"""Expands a policy for its application: closed days become dates, or are refused.

What it leaves out and a default of today fills is written down as well.

The expanded document is complete: neither a newer library nor a changed file changes it
later.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.domain.policy.calendars import HOLIDAYS_MAX, Calendar
from shared.domain.policy.closed_days import closings_in, horizon
from shared.domain.policy.document import Policy
from shared.domain.policy.public_holidays import expand
from shared.domain.policy.validation import too_large
from shared.domain.working_time import elapsed, hours_of
from shared.mistake import Wrong

Files = Mapping[str, str]
"""The text of each file that calendars name in `closed_in`."""
NO_FILES: Files = {}


def expanded(policy: Policy, on: date, files: Files = NO_FILES) -> Policy | list[Wrong]:
    """Return `policy` as applied on that day, or each wrong path with a message."""
    wrong: list[Wrong] = []
    calendars: dict[str, Calendar] = {}
    for name, calendar in policy.calendars.items():
        closed, mistakes = _closed(calendar, on, files)
        wrong += [(("calendars", name, *path), words) for path, words in mistakes]
        calendars[name] = calendar.model_copy(update={"holidays": closed})
    if wrong:
        return wrong
    complete = {
        "calendars": calendars,
        "escalation": policy.escalation.with_defaults(),
    }
    whole = expand(policy.model_copy(update=complete), on)
    too_much = [*_too_many_closed(whole), *too_large(whole)]
    return too_much or list(_never_open(whole, on)) or whole


def _closed(
    calendar: Calendar, on: date, files: Files
) -> tuple[tuple[str, ...], list[Wrong]]:
    days, wrong = set(calendar.holidays), list[Wrong]()
    for place, name in enumerate(calendar.closed_in):
        if name not in files:
            words = (
                f"`{name}` lies beside the policy, and only its text came: apply it "
                "with `permanence config apply FILE`, or write the days into `closed`"
            )
            wrong.append((("closed_in", place), words))
            continue
        try:
            days.update(closings_in(files[name], calendar.timezone, horizon(on)))
        except ValueError as error:
            wrong.append((("closed_in", place), f"{name}: {error}"))
    return tuple(sorted(days)), wrong


def _too_many_closed(policy: Policy) -> Iterator[Wrong]:
    for name, calendar in policy.calendars.items():
        if len(calendar.holidays) > HOLIDAYS_MAX:
            words = (
                f"{len(calendar.holidays)} closed days and parts of days, at most "
                f"{HOLIDAYS_MAX}: leave some out"
            )
            yield ("calendars", name), words


def _never_open(policy: Policy, on: date) -> Iterator[Wrong]:
    last = horizon(on)[-1]
    for name, calendar in policy.calendars.items():
        zone = ZoneInfo(calendar.timezone)
        begins = datetime(on.year, on.month, on.day, tzinfo=zone)
        ends = datetime(last + 1, 1, 1, tzinfo=zone)
        if not elapsed(hours_of(calendar), begins, ends):
            words = (
                f"never open from {on} to the end of {last}: nothing promised under it "
                "would ever be due; leave some of its hours open"
            )
            yield ("calendars", name), words
