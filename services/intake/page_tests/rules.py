"""Who may test whose pages, and when. Pure.

A test of somebody else must not wake them: it takes the hours of the desk's calendar,
read in that person's zone, and of those only the ones between 08:00 and 20:00.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.domain.commands.page_test import RefusedPageTest
from shared.domain.events.event import Actor
from shared.domain.events.page_test import PageTestAnswered, PageTestRequested
from shared.domain.identifiers import page_test_ref, tested_person
from shared.domain.limits import Within
from shared.domain.page_test import PageTest
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.domain.working_time import Hours, hours_of, is_open, next_opening
from shared.messaging.commands import Scope
from shared.security.team_rights import manages, teams_of, teams_using

VALID = timedelta(hours=1)
"""How long messages are sent, and the person may answer."""
WITHIN, TESTS_MAX = timedelta(hours=1), 3
"""The most tests of one person within a time."""
PEOPLE_MAX = 50
"""The most people of one schedule who are tested at once."""
_DAY = (8 * 60, 20 * 60)
_WEEK = (((9 * 60, 17 * 60),),) * 5 + ((),) * 2
"""The working hours of a desk without a calendar."""
Part = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks for a test, and with which rights."""

    by: Actor
    at: datetime
    rights: Mapping[Scope, Within]
    policy: Policy

    @property
    def person(self) -> str | None:
        """The person who asks; None for a program."""
        kind, _, name = self.by.partition(":")
        return name if kind == "person" else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person to be tested, as far as the directory and the log know them."""

    person: str
    is_known: bool
    is_reachable: bool
    zone: str
    tests: Sequence[PageTest]
    version: int
    """The version of the stream of their tests."""


def working_hours(policy: Policy, zone: str) -> Hours:
    """Return the hours in which somebody in a zone may be tested by others."""
    name = policy.desk.calendar
    if name is None:
        return Hours(ZoneInfo(zone), _WEEK)
    hours = hours_of(policy.calendars[name])
    return replace(
        hours,
        zone=ZoneInfo(zone),
        week=tuple(tuple(_by_day(parts)) for parts in hours.week),
        opened=tuple(
            (day, part) for day, given in hours.opened for part in _by_day([given])
        ),
    )


def _by_day(parts: Iterable[Part]) -> Iterable[Part]:
    for opens, closes in parts:
        begins, ends = max(opens, _DAY[0]), min(closes, _DAY[1])
        if begins < ends:
            yield begins, ends


def require_right(who: Requester, people: Iterable[str], schedule: str | None) -> None:
    """Raise `Refused` unless `who` may test these people, whatever the time."""
    others = [each for each in people if each != who.person]
    of_schedule = teams_using(who.policy, schedule) if schedule else frozenset()
    teams = [teams_of(who.policy, each) | of_schedule for each in others]
    name = who.person or ""
    if not all(manages(who.policy, name, who.rights, each) for each in teams):
        raise Refused(
            "only a manager of their team may test the pages of a colleague: ask them, "
            "or test your own",
            "role",
        )


def left_out(people: Sequence[str], most: int) -> list[RefusedPageTest]:
    """Return those of a schedule who are beyond the most that one request tests."""
    return [
        RefusedPageTest(
            person=person,
            code="too_many_tests",
            detail=f"a request tests at most {most} people: test {person} alone",
        )
        for person in people[most:]
    ]


def requested(
    who: Requester, candidate: Candidate, schedule: str | None
) -> PageTestRequested:
    """Return the event of a test. Raises `Refused` if it is not possible now."""
    person = candidate.person
    if not candidate.is_known:
        raise Refused(
            f"nobody is called {person} here: look them up with GET /v1/people?q=…",
            "unknown_person",
        )
    if not candidate.is_reachable:
        raise Refused(
            f"nothing reaches {person}: they add a contact method first", "state"
        )
    if person != who.person:
        _require_working_hours(who, candidate)
    recent = [each for each in candidate.tests if each.requested_at > who.at - WITHIN]
    if len(recent) >= TESTS_MAX:
        again = min(each.requested_at for each in recent) + WITHIN
        raise Refused(
            f"the pages of {person} were tested {TESTS_MAX} times within an hour: "
            f"test them again at {_instant(again)}",
            "too_many_tests",
        )
    return PageTestRequested(
        at=who.at,
        by=who.by,
        person=person,
        test=page_test_ref(person, candidate.version + 1),
        schedule=schedule,
        expires_at=who.at + VALID,
    )


def _require_working_hours(who: Requester, candidate: Candidate) -> None:
    hours = working_hours(who.policy, candidate.zone)
    if is_open(hours, who.at):
        return
    try:
        when = f"test them at {_instant(next_opening(hours, who.at))} or later"
    except ValueError:  # the calendar is never open by day
        when = "they test themselves"
    raise Refused(
        f"it is outside the working hours of {candidate.person}: {when}",
        "outside_hours",
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def answered(
    test: PageTest | None,
    id_: str,
    by: Actor,
    at: datetime,
    via: Literal["link", "call"],
) -> PageTestAnswered | None:
    """Return the event of an answer; None for a repeat. Raises `Refused`."""
    person = tested_person(id_)
    if by != f"person:{person}":
        raise Refused("only the person who is tested answers", "role")
    if test is None:
        raise Refused(f"there is no test {id_}", "state")
    if test.answered_at is not None:
        return None
    if test.is_over(at):
        raise Refused("this test is over: nothing is left to answer", "state")
    return PageTestAnswered(at=at, by=by, person=person, test=id_, via=via)
