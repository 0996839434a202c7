"""The answers to a page: take it, "not me", page somebody else as well. Pure rules.

An answer counts at the level at which the person was paged, until the incident leaves
it: the key of the page says which stay at which level that was. Repeating an answer
changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from services.escalation.acknowledgements.rules import lapses
from services.escalation.rules.acceptances import accepted, people_of
from services.escalation.rules.case import Case
from services.escalation.rules.context import EscalationContext, on
from services.escalation.rules.paging import attempt_after, policy_name
from shared.domain.commands.escalation import (
    DeclinePage,
    PageAnother,
    PageAnswer,
    TakePage,
)
from shared.domain.events import AnyEvent
from shared.domain.events.escalation import (
    EscalationAnotherRequested,
    EscalationDeclined,
)
from shared.domain.incident.relations import require_relation
from shared.domain.refusal import Refused


def answered(
    command: PageAnswer,
    case: Case,
    actor: str,
    at: datetime,
    known: EscalationContext,
) -> Sequence[AnyEvent]:
    """Return the events of an answer; empty if it is already so. Raises `Refused`."""
    person = _asked(command, case, actor, known)
    is_taker = person in case.post.takers
    if case.post.has_enough and not is_taker:
        raise Refused(
            f"a colleague has {case.incident}: nothing is left to do", "state"
        )
    match command:
        case TakePage(via=via):
            if is_taker and not lapses(case, known):
                return []
            policy = known.policy_of(case.policy)
            return [accepted(case, at, policy, person, "accepted", via)]
        case DeclinePage():
            _require_free(case, person)
            return _declined(command, case, person, at, known)
        case PageAnother():
            _require_free(case, person)
            return _called(command, case, person, at, known)
        case _:
            assert_never(command)


def _asked(
    command: PageAnswer, case: Case, actor: str, known: EscalationContext
) -> str:
    """Return the person who answers. Raises `Refused` if it is not theirs to answer."""
    if command.page not in case.post.paged:
        raise Refused(
            f"{case.incident} has left the level at which you were paged: open it at "
            "the service desk to see who has it now",
            "state",
        )
    return require_relation(command.verb, actor, people_of(case, known))


def _require_free(case: Case, person: str) -> None:
    if person in case.post.takers:
        raise Refused(
            f"you have {case.incident}: to hand it over, assign or return it at the "
            "service desk",
            "state",
        )


def _declined(
    command: DeclinePage,
    case: Case,
    person: str,
    at: datetime,
    known: EscalationContext,
) -> Sequence[AnyEvent]:
    if person in case.post.declined:
        return []
    step, loop = attempt_after(case, at, known) or (None, None)
    return [
        EscalationDeclined(
            **on(case, at),
            cycle=case.cycle,
            level=case.post.level,
            page=command.page,
            person=person,
            next_step=step,
            next_loop=loop,
            escalation_policy=policy_name(case, known.policy_of(case.policy)),
        )
    ]


def _called(
    command: PageAnother,
    case: Case,
    person: str,
    at: datetime,
    known: EscalationContext,
) -> Sequence[AnyEvent]:
    if (person, command.page) in case.post.called:
        return []
    attempt = attempt_after(case, at, known)
    if attempt is None:
        raise Refused(
            "everybody whom the escalation policy names has been paged: escalate the "
            "incident, or call somebody",
            "state",
        )
    return [
        EscalationAnotherRequested(
            **on(case, at),
            cycle=case.cycle,
            level=case.post.level,
            page=command.page,
            person=person,
            next_step=attempt[0],
            next_loop=attempt[1],
            escalation_policy=policy_name(case, known.policy_of(case.policy)),
        )
    ]
