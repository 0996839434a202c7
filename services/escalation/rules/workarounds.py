"""Notifies users of an open incident of its problem's newest workaround, each once.

The order of workaround, link and user does not matter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from services.escalation.rules.case import Case
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.notification_requests import key_of
from shared.domain.events.notification import NotificationRequested
from shared.domain.events.problem import ProblemWorkaroundPublished
from shared.domain.identifiers import problem_stream


def published(case: Case, event: ProblemWorkaroundPublished, version: int) -> Case:
    """Return the case after a workaround, if it is for a problem of this incident."""
    if event.problem not in case.problems:
        return case
    return replace(case, workarounds={**case.workarounds, event.problem: version})


def telling_workarounds(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the requests for workarounds that a user has not been notified of."""
    if case.stage != "at_work":
        return
    for problem in case.problems:
        version = _newest(case, problem, known)
        if version is None:
            continue
        stream = problem_stream(problem)
        deaf = [p for p in case.reporters if (stream, version, p) not in case.heard]
        if deaf:
            yield _request(case, stream, version, deaf)


def _newest(case: Case, problem: str, known: EscalationContext) -> int | None:
    """Return the version of the newest workaround in the stream of a problem."""
    if problem in case.workarounds:
        return case.workarounds[problem]
    position = case.joined.get(problem)
    return None if position is None else known.workaround(problem, position)


def _request(case: Case, stream: str, version: int, people: Sequence[str]) -> Due:
    def events(at: datetime) -> Sequence[NotificationRequested]:
        return [
            NotificationRequested(
                **on(case, at),
                key=key_of(stream, version, person, "mail", "problem_workaround"),
                kind="problem_workaround",
                audience="user",
                channel="mail",
                person=person,
                cause_stream=stream,
                cause_version=version,
            )
            for person in people
        ]

    return Due(case.changed_at, events)
