"""What a document may say only if the world has it: zones, holidays, recurrences.

Asked once, when a policy is checked. What was applied is read back without asking: the
world may since have dropped a zone, and history must stay readable.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from dateutil.rrule import rrulestr

from shared.mistake import Path
from shared.policy.public_holidays import is_known_region
from shared.policy.selecting import values
from shared.yaml12 import Plain

_ZONES = (
    "desk.timezone",
    "calendars.*.timezone",
    "schedules.*.timezone",
    "maintenance.*.timezone",
    "sources.*.timezone",
)
_REGION = "write one such as FR or CA-QC, or list the days in `closed`"
_STANDS_STILL = re.compile(r"INTERVAL\s*=\s*[+]?(?:0+\s*(?:;|$)|-)", re.IGNORECASE)
"""A rule that never goes on: looking for its next time would never end."""
_ANY_DAY = datetime(2025, 1, 1)  # noqa: DTZ001 - a recurrence is local


def unknown_to_the_world(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield what does not exist outside the document, and what to write instead."""
    for pattern in _ZONES:
        for path, zone in values(document, pattern):
            if isinstance(zone, str) and not is_zone(zone):
                yield path, f"`{zone}` is no time zone: write one such as Europe/Paris"
    for path, region in values(document, "calendars.*.public_holidays"):
        if isinstance(region, str) and not is_known_region(region):
            yield path, f"no public holidays are known for `{region}`: {_REGION}"
    for path, rule in values(document, "maintenance.*.rrule"):
        if isinstance(rule, str) and not _is_recurrence(rule):
            yield path, "not a recurrence rule: write one such as FREQ=WEEKLY;BYDAY=MO"


def is_zone(name: str) -> bool:
    """Tell whether the IANA database has a zone of this name.

    `localtime` is none of its: on each machine it is another. Nor is `Factory`: that
    stands for a machine which was told of none.
    """
    return name in _zones()


@cache
def _zones() -> set[str]:
    return available_timezones() - {"localtime", "Factory"}


def _is_recurrence(rule: str) -> bool:
    try:
        rrulestr(rule, dtstart=_ANY_DAY)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        return False
    return not _STANDS_STILL.search(rule)
