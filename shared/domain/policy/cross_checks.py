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
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from dateutil.rrule import rrule, rrulestr

from shared.domain.policy.escalation import DESK_RECEIVER
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
_TOO_OFTEN = re.compile(r"FREQ\s*=\s*(?:SECOND|MINUTE)LY", re.IGNORECASE)
"""No maintenance is so often, and the search for its next time would take long."""
_LAST_YEARS = range(9940, 9968)
"""A period of 28 years, which no century interrupts, with 32 more before the last."""
_ANY_DAY = datetime(2025, 1, 1)  # noqa: DTZ001 - a recurrence is local


def unknown_to_the_world(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield what does not exist outside the document, and what to write instead."""
    for pattern in _ZONES:
        for path, zone in values(document, pattern):
            if isinstance(zone, str) and not is_zone(zone):
                yield (
                    path,
                    f"`{zone}` is not a time zone: write one such as Europe/Paris",
                )
    for path, region in values(document, "calendars.*.public_holidays"):
        if isinstance(region, str) and not is_known_region(region):
            yield path, f"no public holidays are known for `{region}`: {_REGION}"
    yield from _rules_that_never_occur(document)


def _rules_that_never_occur(document: Plain) -> Iterator[tuple[Path, str]]:
    starts = dict(values(document, "maintenance.*.start"))
    for path, rule in values(document, "maintenance.*.rrule"):
        if not isinstance(rule, str):
            continue
        if not _is_recurrence(rule):
            yield path, "not a recurrence rule: write one such as FREQ=WEEKLY;BYDAY=MO"
        elif not _occurs(rule, starts.get((*path[:-1], "start"))):
            yield path, "this rule has no date: write a day that its months have"


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
    return not (_STANDS_STILL.search(rule) or _TOO_OFTEN.search(rule))


def _occurs(rule: str, start: Plain) -> bool:
    """Return whether a rule has a date at all, were it without end.

    The search for a date that never comes ends with the year 9999 only, so it begins
    not long before: in the 28 years in which each year from 1901 to 2099 has its like,
    with the same leap years and days of the week before and after it.
    """
    try:
        first = datetime.fromisoformat(str(start))
    except ValueError:
        first = _ANY_DAY  # its own mistake is reported
    like = next(
        year
        for year in _LAST_YEARS
        if year % 4 == first.year % 4
        and date(year, 1, 1).weekday() == date(first.year, 1, 1).weekday()
    )
    found = rrulestr(rule, dtstart=first)
    if not isinstance(found, rrule):
        return True  # it has days of its own
    begins = first.replace(year=like, tzinfo=None)
    endless = found.replace(dtstart=begins, until=None, count=None)
    return next(iter(endless), None) is not None


HINTS_MAX = 20
"""Names in one document for which a similar name is searched."""

_STEPS = ("functional.*", "policies.*.*", "policies.*.steps.*")
_PAGES = (
    *(f"escalation.{step}.page" for step in _STEPS),
    *(f"escalation.{step}.page.*" for step in _STEPS),
    "escalation.hierarchical.*.page",
    "escalation.nobody_on_call.page",
    "escalation.policies.*.when_nobody.page",
)

_TO = {
    "teams": (
        "desk.team",
        "services.*.support.*",
        "problems.team",
        "enrichment.*.set.team",
        *(f"{page}.team" for page in _PAGES),
    ),
    "calendars": (
        "desk.calendar",
        "contracts.*.calendar",
        "contracts.*.p1_calendar",
        "heartbeats.*.calendar",
        "reviews.calendar",
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
        "teams.*.escalation.*.services.*",
    ),
    "sources": ("heartbeats.*.source",),
    "schedules": (
        "teams.*.schedule",
        *(f"{page}.schedule" for page in _PAGES),
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
    policies = [str(path[-1]) for path, _ in values(document, "escalation.policies.*")]
    for pattern in ("teams.*.escalation", "teams.*.escalation.*.policy"):
        for path, name in values(document, pattern):
            if isinstance(name, str) and name not in policies:
                yield path, hints.nowhere("escalation.policies", name, policies)
    yield from _clients(document)
    yield from _team_channels(document, hints)
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


_PARTICIPANTS = tuple(
    f"schedules.*.{rotation}.participants.{place}"
    for rotation in ("rotation", "layers.*.rotation")
    for place in ("*", "*.*")
)


def _strangers(document: Plain) -> Iterator[tuple[Path, str]]:
    members = _texts(document, "teams.*.members.*")
    managers = _texts(document, "teams.*.manager")
    pages = tuple(f"{page}.person" for page in _PAGES)
    staff = (*pages, "surveys.*.owner", "reviews.owner")
    for patterns, people in ((_PARTICIPANTS, members), (staff, members | managers)):
        for path, person in (
            each for one in patterns for each in values(document, one)
        ):
            if isinstance(person, str) and person not in people:
                yield (
                    path,
                    f"`{person}` is in no team: make them a member, or take them out",
                )


def _clients(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield clients with contacts for their reports, but without a contract."""
    known = _texts(document, "contracts.*.client")
    for path, _ in values(document, "month_reports.contacts.*"):
        if str(path[-1]) not in known:
            yield path, f"no contract names the client `{path[-1]}`: correct it"


def _texts(document: Plain, pattern: str) -> set[str]:
    return {found for _, found in values(document, pattern) if isinstance(found, str)}


def _team_channels(document: Plain, hints: _Hints) -> Iterator[tuple[Path, str]]:
    """Yield names of channels that are taken, and pages of channels without a team."""
    known = {DESK_RECEIVER: "the receiver of pages of the desk"}
    for path, _ in values(document, "teams.*.channels.*"):
        _, team, _, name = map(str, path)
        if name in known:
            yield path, f"`{name}` is {known[name]} already: choose another name"
        known.setdefault(name, f"a channel of the team {team}")
    for page in _PAGES:
        for path, to in values(document, f"{page}.channel"):
            if isinstance(to, str) and to not in known:
                yield path, hints.nowhere("teams.*.channels", to, known)


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
            yield (*path, "values", name), "given twice, in different case: keep one"
        known.add(name.casefold())


def _is_format(form: str) -> bool:
    if form in {AUTO, EPOCH_S, EPOCH_MS}:
        return True
    try:
        read = datetime.strptime(_DAY.strftime(form), form)  # noqa: DTZ007 # a form may be local
    except (ValueError, OverflowError):
        return False
    return (read.year, read.month, read.day) == (_DAY.year, _DAY.month, _DAY.day)


_PAGES_ON_CALL = frozenset({"mine", "preview"})
"""Pages of the desk at `/on-call/<name>`, where those of schedules are."""


def taken_names(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield each schedule whose page would be hidden by another one."""
    for name in names(document, "schedules"):
        if name in _PAGES_ON_CALL:
            sentence = "a page of the desk has this name: choose another"
            yield ("schedules", name), sentence


def missing_texts(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield each text that lacks a language of `desk.languages`."""
    languages = [str(language) for _, language in values(document, "desk.languages.*")]
    texts = [
        *values(document, "services.*.name"),
        *values(document, "surveys.*.questions.*.*"),
        *values(document, "reviews.sections.*.title"),
        *values(document, "reviews.sections.*.hint"),
        *values(document, "answer_templates.*.title"),
        *values(document, "answer_templates.*.text"),
    ]
    for path, written in texts:
        by_language = written.get("text", written) if isinstance(written, dict) else {}
        if isinstance(by_language, dict):
            lacking = [each for each in languages if each not in by_language]
            if lacking:
                yield path, f"add the text in {', '.join(lacking)}"
