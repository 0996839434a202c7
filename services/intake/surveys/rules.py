"""Decides who is asked about a closed incident, and which answers are taken. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from shared.domain import events
from shared.domain.commands.survey import AnswerSurvey
from shared.domain.events import AnyEvent
from shared.domain.events.survey import (
    SurveyAnswered,
    SurveyContactAnswered,
    SurveyInvited,
)
from shared.domain.incident import Incident, Status
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import Question, UserSurvey, version_in_use
from shared.domain.refusal import Refused
from shared.domain.survey.invitation import Invitation

NEWS = timedelta(days=3)
"""A closure that is read later than that is not asked about any more."""
ACTOR = "system:intake"
_PERSON = "person:"
_SAMPLES = 100


def is_news(closed_at: datetime, now: datetime) -> bool:
    """Return whether users are still asked about an incident closed at an instant.

    Somebody who is asked about something long past cannot say much, and a reader that
    begins again from the start of the log asks nobody.
    """
    return now - closed_at <= NEWS


def invitation(
    incident: Incident,
    workers: frozenset[str],
    asked_at: datetime | None,
    policy: tuple[int, Policy],
    now: datetime,
) -> SurveyInvited | None:
    """Return whom to ask about a closed incident and what, None to ask nobody.

    The first survey in the policy that applies asks the first user who reported it.
    `workers` have worked on the incident: they do not rate themselves. `asked_at` is
    when that user was last asked about any incident.
    """
    person = incident.reporter
    if incident.status is not Status.CLOSED or person is None or person in workers:
        return None
    version, written = policy
    for name, survey in _about(incident, written):
        rests = timedelta(days=survey.per_user_days)
        if asked_at is not None and now - asked_at < rests:
            continue
        remind = survey.remind_days
        return SurveyInvited(
            at=now,
            by=ACTOR,
            survey=name,
            version=version_in_use(survey),
            policy=version,
            incident=incident.ref,
            person=person,
            expires_at=now + timedelta(days=survey.expires_days),
            remind_at=None if remind is None else now + timedelta(days=remind),
            service=incident.service,
            team=incident.team,
            channel=incident.noticed.channel,
            client=incident.client,
            kept=None if survey.anonymous is None else survey.anonymous.by,
        )
    return None


def _about(incident: Incident, policy: Policy) -> Iterator[tuple[str, UserSurvey]]:
    """Yield the surveys of users that are about an incident, sampled."""
    for name, survey in sorted(policy.surveys.items()):
        if not isinstance(survey, UserSurvey):
            continue
        if _is_in_scope(incident, survey) and in_sample(name, incident.ref, survey):
            yield name, survey


def _is_in_scope(incident: Incident, survey: UserSurvey) -> bool:
    scope = survey.scope
    return scope is None or (
        (scope.services is None or incident.service in scope.services)
        and (scope.clients is None or incident.client in scope.clients)
        and (scope.channels is None or incident.noticed.channel in scope.channels)
    )


def in_sample(name: str, incident: str, survey: UserSurvey) -> bool:
    """Return whether a survey asks about an incident: always the same for the same."""
    drawn = int.from_bytes(sha256(f"{name}|{incident}".encode()).digest()[:8])
    return drawn % _SAMPLES < survey.sample


def workers_of(history: Iterable[AnyEvent]) -> frozenset[str]:
    """Return the people who worked on an incident at the desk."""
    return frozenset(_workers(history))


def _workers(history: Iterable[AnyEvent]) -> Iterator[str]:
    for event in history:
        match event:
            case events.IncidentAssigned(assignee=str(person)):
                yield person
            case (
                events.IncidentAcknowledged(by=by)
                | events.IncidentInformed(by=by)
                | events.IncidentRestored(by=by)
                | events.IncidentResolved(by=by)
            ) if by.startswith(_PERSON):
                yield by.removeprefix(_PERSON)
            case _:
                pass


def answer(
    held: Invitation | None,
    questions: Sequence[Question],
    command: AnswerSurvey,
    actor: str,
    now: datetime,
) -> SurveyAnswered | SurveyContactAnswered | None:
    """Return the answer to record, None if one is recorded. Raises `Refused`."""
    asked = invited(held, actor)
    if asked.is_answered:
        return None
    choices = accepted(asked, questions, command, now)
    whose = actor if command.comment else None
    if asked.incident is None:
        return SurveyContactAnswered(
            at=now,
            by=actor,
            whose=whose,
            survey=asked.survey,
            version=asked.version,
            invitation=asked.ref,
            person=asked.person,
            choices=choices,
            comment=command.comment,
        )
    return SurveyAnswered(
        at=now,
        by=actor,
        whose=whose,
        survey=asked.survey,
        version=asked.version,
        incident=asked.incident,
        person=asked.person,
        choices=choices,
        comment=command.comment,
    )


def invited(held: Invitation | None, actor: str) -> Invitation:
    """Return the invitation that somebody answers. Raises `Refused`."""
    if held is None or actor != f"{_PERSON}{held.person}":
        raise Refused("there is no invitation for this answer", "unknown_incident")
    return held


def accepted(
    held: Invitation,
    questions: Sequence[Question],
    command: AnswerSurvey,
    now: datetime,
) -> Mapping[str, int]:
    """Return the choices of a complete answer in time. Raises `Refused`."""
    if held.is_over(now):
        raise Refused("the time to answer is over: thank you all the same", "state")
    return _complete(questions, command.choices)


def _complete(
    questions: Sequence[Question], choices: Mapping[str, int]
) -> Mapping[str, int]:
    asked = {question.id for question in questions}
    if unknown := sorted(choices.keys() - asked):
        raise Refused(f"this survey has no question `{unknown[0]}`", "invalid")
    if missing := sorted(asked - choices.keys()):
        raise Refused(f"choose an answer to `{missing[0]}`", "invalid")
    return {question.id: choices[question.id] for question in questions}
