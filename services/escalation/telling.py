"""Who is told of what: each user once of each visible change, staff of what is theirs.

An event is news once, when it is read or decided; the requests follow from it. Of what
comes at the very same instant only the last word is told: resolved, not restored.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from services.escalation.case import Case, Tell
from services.escalation.due import Due, on
from services.escalation.known import Known
from shared.domain.events import AnyEvent
from shared.domain.events.incident import (
    IncidentInformed,
    IncidentPaused,
    IncidentResolved,
    IncidentRestored,
)
from shared.domain.events.notification import Kind, NotificationRequested
from shared.domain.policy.document import Policy

NAMESPACE = uuid.UUID("0d7f6a52-3c1b-4f0e-8a63-5b7f0e9d2c41")
"""Of keys: with it, the same news for the same person always has the same key."""
CALLS: frozenset[Kind] = frozenset(
    {"page", "manager", "handover", "service_handover", "routed"}
)
"""What the receiver of pages is told as well."""
STAFF: frozenset[Kind] = CALLS | {"suggestion", "update_due"}
_OUTDONE: frozenset[Kind] = frozenset({"taken", "restored"})
"""What is not told where more follows at the same instant."""


def with_news(case: Case, *news: Tell) -> Case:
    """Return the case with what is to be told; nobody to tell is no news."""
    worth = tuple(tell for tell in news if tell.people != ())
    return replace(case, to_tell=(*case.to_tell, *worth)) if worth else case


def without_outdone(case: Case, event: AnyEvent, at: datetime) -> Case:
    """Return the case without news that `event`, of the same instant, outdoes."""
    left = tuple(
        tell
        for tell in case.to_tell
        if not (tell.last_at == at and _outdoes(event, tell.kind))
    )
    return case if left == case.to_tell else replace(case, to_tell=left)


def told(case: Case, event: NotificationRequested) -> Case:
    """Return the case after a request: that news is no longer to be told."""
    left = tuple(
        tell
        for tell in case.to_tell
        if (tell.stream, tell.version, tell.kind)
        != (event.cause_stream, event.cause_version, event.kind)
    )
    heard = case.heard
    if event.kind == "problem_workaround" and event.person:
        heard = (*heard, (event.cause_stream, event.cause_version, event.person))
    return replace(case, to_tell=left, heard=heard)


def telling(case: Case, known: Known) -> Iterator[Due]:
    """Yield the requests for the news there is."""
    for tell in case.to_tell:
        if tell.kind in _OUTDONE:
            following = known.rest_of_moment(tell.stream, tell.version, tell.last_at)
            if any(_outdoes(event, tell.kind) for event in following):
                continue  # read that first: it takes this off the list
        yield _request(case, tell, known)


def key_of(
    stream: str, version: int, person: str | None, channel: str, kind: Kind
) -> str:
    """Return the key of one notification."""
    told_of = "|".join((stream, str(version), person or "", channel, kind))
    return str(uuid.uuid5(NAMESPACE, told_of))


def _outdoes(event: AnyEvent, kind: Kind) -> bool:
    match event:
        case IncidentResolved():
            return kind in _OUTDONE
        case IncidentRestored() | IncidentInformed() | IncidentPaused(reason="user"):
            return kind == "taken"
        case _:
            return False


def _request(case: Case, tell: Tell, known: Known) -> Due:
    policy = known.policy_of(case.policy if tell.policy is None else tell.policy)
    people = tell.people or _staff(case, tell, policy)

    def events(at: datetime) -> Sequence[NotificationRequested]:
        mails = [_one(case, tell, at, person) for person in people]
        if known.webhook and tell.kind in CALLS:
            return [*mails, _one(case, tell, at, None)]
        return mails

    return Due(case.changed_at, events)


def _staff(case: Case, tell: Tell, policy: Policy) -> tuple[str, ...]:
    """Return whom the policy names for news that does not say who."""
    team = tell.team or _problem_team(case, tell.kind)
    if team is not None:
        return tuple(dict.fromkeys(policy.teams[team].members))
    if case.assignee is not None:
        return (case.assignee,)
    return (policy.teams[policy.team_of_first_contact].manager,)


def _problem_team(case: Case, kind: Kind) -> str | None:
    if kind == "handover" and case.handover:
        return case.handover.team
    if kind == "service_handover" and case.service_handover:
        return case.service_handover.team
    return case.suggested if kind == "suggestion" else None


def _one(
    case: Case, tell: Tell, at: datetime, person: str | None
) -> NotificationRequested:
    channel = "mail" if person else "webhook"
    common = on(case, at)
    if tell.policy is not None:
        common["policy"] = tell.policy
    return NotificationRequested(
        **common,
        key=key_of(tell.stream, tell.version, person, channel, tell.kind),
        kind=tell.kind,
        audience="staff" if tell.kind in STAFF else "user",
        channel="mail" if person else "webhook",
        person=person,
        cause_stream=tell.stream,
        cause_version=tell.version,
    )
