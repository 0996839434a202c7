"""Processes commands about page tests: read, decide, append, answer. Blocks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from services.intake.attempts import append, decided, journalled, recorded_before
from services.intake.page_tests.rules import (
    PEOPLE_MAX,
    Candidate,
    Requester,
    answered,
    left_out,
    requested,
    require_right,
)
from services.intake.policy.store import Policies
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.contact_methods.readiness import readiness_of
from shared.database.cursors import Cursors
from shared.directory import person as person_named
from shared.domain.commands.page_test import (
    PageTestAnswer,
    PageTestConfirmation,
    RefusedPageTest,
    RequestPageTest,
    StartedPageTest,
)
from shared.domain.events.event import Actor
from shared.domain.events.page_test import PageTestRequested
from shared.domain.identifiers import page_tests_stream, tested_person
from shared.domain.on_call import first_shifts
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import versions
from shared.messaging.commands import CommandRequest
from shared.on_call_changes import roster_of
from shared.page_tests import page_tests_of
from shared.security.rights import is_removed

_MOMENT = timedelta(microseconds=1)
_STREAMS = """
SELECT DISTINCT originator_id FROM log.events
WHERE notification_id BETWEEN %s AND %s ORDER BY originator_id
"""


@dataclass(frozen=True)
class PageTestDesk:
    """Answers commands about page tests."""

    log: EventLog
    policies: Policies
    clock: Clock
    people_max: int = PEOPLE_MAX

    def take(self, request: CommandRequest[Any]) -> PageTestAnswer:
        """Return the outcome of a request; raises `HttpError`, `Unavailable`."""
        about = request.body.person or request.body.schedule
        note = journalled(request, about, self.clock)
        return decided(self.log, lambda cursor: self._attempt(cursor, request), note)

    def take_answer(self, request: CommandRequest[Any]) -> PageTestConfirmation:
        """Return the outcome of an answer by link; raises as `take`."""
        test = request.body.test
        note = journalled(request, tested_person(test), self.clock)

        def attempt(cursor: Cursors) -> PageTestConfirmation:
            if request.scopes:
                raise Refused("only the link in a message of the test answers", "role")
            return self._answered(cursor, test, request.actor, "link")

        return decided(self.log, attempt, note)

    def answered_by_call(self, test: str) -> bool:
        """Record that the person pressed a key in a call; False if it was too late."""
        by = f"person:{tested_person(test)}"
        try:
            decided(self.log, lambda cursor: self._answered(cursor, test, by, "call"))
        except Refused:
            return False
        return True

    def _attempt(self, cursor: Cursors, request: CommandRequest[Any]) -> PageTestAnswer:
        command: RequestPageTest = request.body
        digest = digest_of(command.aggregate, command.verb, command)
        before = recorded_before(cursor, request.command_id, digest)
        if before is not None:
            return self._repeated(cursor, before)
        policy = self.policies.current(cursor)[1]
        rights = {scope: request.limits.get(scope) for scope in request.scopes}
        who = Requester(request.actor, self.clock(), rights, policy)
        people = self._people(cursor, command, who)
        require_right(who, people, command.schedule)
        events, refused = self._decided(cursor, who, people, command.schedule)
        stored = tuple(
            self.log.stored(
                page_tests_stream(event.person),
                version,
                event,
                request.command_id,
            )
            for version, event in events
        )
        positions = append(
            self.log, cursor, AppendUnit(stored, request.command_id, digest)
        )
        started = [event for _, event in events]
        return _answer("recorded", started, refused, positions)

    def _people(
        self, cursor: Cursors, command: RequestPageTest, who: Requester
    ) -> Sequence[str]:
        """Return who is to be tested. Raises `Refused`."""
        schedule = command.schedule
        if schedule is None:
            return [command.person or ""]
        if schedule not in who.policy.schedules:
            raise Refused(
                f"the policy has no schedule {schedule}: see GET /v1/oncall",
                "unknown_schedule",
            )
        roster = roster_of(cursor, schedule, who.policy, since=who.at)
        people = [*first_shifts(roster, who.at, who.at + _MOMENT)]
        if not people:
            raise Refused(f"nobody is on call in {schedule} now", "state")
        return people

    def _decided(
        self,
        cursor: Cursors,
        who: Requester,
        people: Sequence[str],
        schedule: str | None,
    ) -> tuple[list[tuple[int, PageTestRequested]], list[RefusedPageTest]]:
        """Return the events with their versions, and whom a schedule cannot test.

        Raises `Refused` if nobody can be tested.
        """
        events: list[tuple[int, PageTestRequested]] = []
        refused: list[RefusedPageTest] = []
        last: Refused | None = None
        within = people[: self.people_max]
        for candidate in self._candidates(cursor, within, who.policy):
            try:
                event = requested(who, candidate, schedule)
            except Refused as no:
                last = no
                refused.append(
                    RefusedPageTest(
                        person=candidate.person, code=no.code, detail=no.reason
                    )
                )
            else:
                events.append((candidate.version + 1, event))
        if not events and last is not None:
            raise last
        return events, [*refused, *left_out(people, self.people_max)]

    def _candidates(
        self, cursor: Cursors, people: Sequence[str], policy: Policy
    ) -> Iterable[Candidate]:
        tests = page_tests_of(self.log, cursor, people)
        ready = readiness_of(self.log.vault, cursor, people)
        streams = {person: page_tests_stream(person) for person in people}
        tips = versions(cursor, sorted(streams.values()))
        for person in people:
            known = person_named(cursor, person)
            yield Candidate(
                person,
                known is not None and not is_removed(cursor, person),
                ready[person] != "unreachable",
                (known.zone if known else None) or policy.desk.timezone,
                [*tests[person].values()],
                tips[streams[person]],
            )

    def _repeated(self, cursor: Cursors, before: range) -> PageTestAnswer:
        given = (before.start, before.stop - 1)
        streams = [row[0] for row in cursor.execute(_STREAMS, given).fetchall()]
        entries = self.log.histories(cursor, streams)
        events = [each.event for each in entries if each.position in before]
        started = [each for each in events if isinstance(each, PageTestRequested)]
        return _answer("repeated", started, [], before)

    def _answered(
        self, cursor: Cursors, test: str, by: Actor, via: Literal["link", "call"]
    ) -> PageTestConfirmation:
        person = tested_person(test)
        stream = page_tests_stream(person)
        version = versions(cursor, [stream])[stream]
        held = page_tests_of(self.log, cursor, [person])[person].get(test)
        event = answered(held, test, by, self.clock(), via)
        if event is None:
            return _confirmation("already", test, version, ())
        stored = self.log.stored(stream, version + 1, event)
        positions = append(self.log, cursor, AppendUnit((stored,)))
        return _confirmation("recorded", test, version + 1, positions)


def _answer(
    outcome: Literal["recorded", "repeated"],
    events: Sequence[PageTestRequested],
    refused: list[RefusedPageTest],
    positions: range,
) -> PageTestAnswer:
    return PageTestAnswer(
        outcome=outcome,
        tests=[
            StartedPageTest(
                test=each.test, person=each.person, expires_at=each.expires_at
            )
            for each in events
        ],
        refused=refused,
        positions=[*positions],
    )


def _confirmation(
    outcome: Literal["recorded", "already"],
    test: str,
    version: int,
    positions: Sequence[int],
) -> PageTestConfirmation:
    return PageTestConfirmation(
        outcome=outcome,
        test=test,
        person=tested_person(test),
        version=version,
        positions=[*positions],
    )
