"""Checks of a policy document beyond its schema: references, zones, texts, mappings.

They run once, when a policy is checked. An applied policy is read back without them: a
zone may have been removed from the database since, or a later JMESPath may be stricter,
but history must stay readable.

Every name must refer to something in the document, and every text for users must exist
in every language of the desk.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from dateutil.rrule import rrulestr

from shared.domain.policy.mappings import (
    AUTO,
    EPOCH_MS,
    EPOCH_S,
    EXPRESSION_MAX,
    mistakes_in,
)
from shared.domain.policy.public_holidays import is_known_region
from shared.domain.policy.sources import LABELS
from shared.mistake import Path
from shared.yaml12 import Plain

Found = tuple[Path, Plain]


def values(document: Plain, pattern: str) -> Iterator[Found]:
    """Yield the values at `pattern`, such as `services.*.support.*`.

    `*` matches every key of a mapping or index of a list. Missing values, or values of
    another shape, yield nothing.
    """
    found: list[Found] = [((), document)]
    for step in pattern.split("."):
        found = [
            ((*path, key), part)
            for path, value in found
            for key, part in _parts_at(value, step)
        ]
    yield from found


def everything(document: Plain) -> Iterator[Found]:
    """Yield every key and every single value of a document with its path."""
    todo: list[Found] = [((), document)]
    while todo:
        path, value = todo.pop()
        parts = list(_parts(value))
        todo += [((*path, key), part) for key, part in parts]
        if isinstance(value, dict):
            yield from (((*path, key), key) for key in value)
        elif not parts:
            yield path, value


def names(document: Plain, section: str) -> list[str]:
    """Return the names defined in a section, in the order written."""
    return [str(path[-1]) for path, _ in values(document, f"{section}.*")]


def _parts_at(value: Plain, step: str) -> list[tuple[str | int, Plain]]:
    if step == "*":
        return _parts(value)
    if isinstance(value, dict) and step in value:
        return [(step, value[step])]
    return []


def _parts(value: Plain) -> list[tuple[str | int, Plain]]:
    match value:
        case dict():
            return list(value.items())
        case list():
            return list(enumerate(value))
        case _:
            return []


_ZONES = (
    "desk.timezone",
    "calendars.*.timezone",
    "schedules.*.timezone",
    "maintenance.*.timezone",
    "sources.*.timezone",
)
_REGION = "write one such as FR or CA-QC, or list the days in `closed`"
_STANDS_STILL = re.compile(r"INTERVAL\s*=\s*[+]?(?:0+\s*(?:;|$)|-)", re.IGNORECASE)
"""A rule that makes no progress: the search for its next time would never end."""
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
    """Return whether the IANA database has a zone of this name.

    `localtime` is excluded, since it differs between machines, and so is `Factory`,
    which represents a machine without a configured zone.
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


HINTS_MAX = 20
"""Names in one document for which a similar name is searched."""

_TO = {
    "teams": (
        "desk.team",
        "services.*.support.*",
        "problems.team",
        "enrichment.*.set.team",
        "escalation.functional.*.page.team",
        "escalation.hierarchical.*.page.team",
        "escalation.nobody_on_call.page.team",
    ),
    "calendars": (
        "desk.calendar",
        "contracts.*.calendar",
        "contracts.*.p1_calendar",
        "heartbeats.*.calendar",
    ),
    "targets": ("contracts.*.targets", "contracts.*.also.*.targets"),
    "services": (
        "contracts.*.services.*",
        "contracts.*.also.*.when.service.*",
        "sources.*.service",
        "heartbeats.*.service",
        "maintenance.*.service",
        "enrichment.*.set.service",
        "surveys.*.scope.services.*",
    ),
    "sources": ("heartbeats.*.source",),
    "schedules": (
        "escalation.functional.*.page.schedule",
        "escalation.hierarchical.*.page.schedule",
        "escalation.nobody_on_call.page.schedule",
    ),
}


def dangling(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield the path of every undefined name, and what to do about it."""
    hints = _Hints()
    for section, patterns in _TO.items():
        known = dict.fromkeys(names(document, section))
        for pattern in patterns:
            for path, name in values(document, pattern):
                if isinstance(name, str) and not _is_elsewhere(name, known):
                    yield path, hints.nowhere(section, name, known)
    yield from _strangers(document)
    yield from _skills(document, hints)
    yield from _problem_team(document)


def _is_elsewhere(name: str, known: Collection[str]) -> bool:
    return name in known or name.startswith(LABELS)


@dataclass(slots=True)
class _Hints:
    """Creates messages for undefined names, with a limited number of suggestions.

    Comparing one name with thousands takes a moment, thousands of names take minutes.
    """

    left: int = HINTS_MAX

    def nowhere(self, section: str, name: str, known: Collection[str]) -> str:
        """Return the message for a name that is not defined in a section."""
        near = get_close_matches(name, known, 1) if self.left > 0 else []
        self.left -= 1
        hint = f"did you mean `{near[0]}`?" if near else "correct it"
        return f"`{name}` is not under `{section}`: add it there, or {hint}"


def _strangers(document: Plain) -> Iterator[tuple[Path, str]]:
    members = {
        member
        for _, member in values(document, "teams.*.members.*")
        if isinstance(member, str)
    }
    for path, person in values(document, "schedules.*.rotation.participants.*"):
        if isinstance(person, str) and person not in members:
            yield (
                path,
                f"`{person}` is in no team: make them a member, or take them out",
            )


def _skills(document: Plain, hints: _Hints) -> Iterator[tuple[Path, str]]:
    services = dict.fromkeys(names(document, "services"))
    for path, _ in values(document, "teams.*.skills.*"):
        if path[-1] not in services:
            yield path, hints.nowhere("services", str(path[-1]), services)
    members: dict[Path, list[Plain]] = {}
    for path, member in values(document, "teams.*.members.*"):
        members.setdefault(path[:2], []).append(member)
    for path, person in values(document, "teams.*.skills.*.*"):
        if person not in members.get(path[:2], []):
            yield path, f"`{person}` is not in this team: add them to its `members`"


def _problem_team(document: Plain) -> Iterator[tuple[Path, str]]:
    if isinstance(document, dict) and isinstance(document.get("problems"), dict):
        is_named = any(values(document, "problems.team"))
        if not is_named and "problem" not in names(document, "teams"):
            yield (
                ("problems",),
                "say which `team` takes problems, or add one, `problem`",
            )


_EXPRESSIONS = (
    "elements",
    "title",
    "action.from",
    "severity.from",
    "dedup_key",
    "event_id",
    "service",
    "occurred_at",
    "labels.*",
    "links",
    "details",
)
_DAY = datetime(2025, 6, 30, 7, 52, tzinfo=UTC)
_FORMAT = "write auto, epoch_s, epoch_ms, or a form such as %d/%m/%Y %H:%M:%S"


def unmappable(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield what cannot be evaluated in mappings, and what to write instead."""
    for name in _EXPRESSIONS:
        for path, text in values(document, f"sources.*.mapping.{name}"):
            if isinstance(text, str) and len(text) <= EXPRESSION_MAX:
                yield from ((path, wrong) for wrong in mistakes_in(text))
    for path, form in values(document, "sources.*.mapping.time_format"):
        if isinstance(form, str) and not _is_format(form):
            yield path, f"no form of a time: {_FORMAT}"
    for name in ("action", "severity"):
        for path, table in values(document, f"sources.*.mapping.{name}"):
            yield from _table(path, table)


def _table(path: Path, table: Plain) -> Iterator[tuple[Path, str]]:
    written = table.get("values") if isinstance(table, dict) else None
    names = list(written) if isinstance(written, dict) else []
    if names and isinstance(table, dict) and "from" not in table:
        yield path, "say with `from` where the values stand, or take `values` out"
    known: set[str] = set()
    for name in names:
        if name.casefold() in known:
            yield (*path, "values", name), "given twice, but for its case: keep one"
        known.add(name.casefold())


def _is_format(form: str) -> bool:
    if form in {AUTO, EPOCH_S, EPOCH_MS}:
        return True
    try:
        read = datetime.strptime(_DAY.strftime(form), form)  # noqa: DTZ007 # a form may be local
    except (ValueError, OverflowError):
        return False
    return (read.year, read.month, read.day) == (_DAY.year, _DAY.month, _DAY.day)


def missing_texts(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield each text that lacks a language of `desk.languages`."""
    languages = [str(language) for _, language in values(document, "desk.languages.*")]
    texts = [
        *values(document, "services.*.name"),
        *values(document, "surveys.*.questions.*.*"),
    ]
    for path, written in texts:
        by_language = written.get("text", written) if isinstance(written, dict) else {}
        if isinstance(by_language, dict):
            lacking = [each for each in languages if each not in by_language]
            if lacking:
                yield path, f"add the text in {', '.join(lacking)}"
