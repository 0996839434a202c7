"""Until when a page is wanted: the conditions of its step. Pure.

They are asked when the step is due, before each message of the page is requested, and
again before a message leaves that had to wait.
"""

from typing import Literal, NamedTuple, assert_never

from services.escalation.rules.case import Case, PageRef
from shared.domain.events.escalation import EscalationPaged
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import Step


class PageCondition(NamedTuple):
    """What ends the pages of a step, besides leaving the level."""

    unless: Literal["accepted", "acknowledged", "resolved"]
    acknowledgements: int = 1
    """How many people have to accept the incident."""


UNTIL_ACCEPTED = PageCondition("accepted")
"""Of the page to all members of a team without steps."""


def condition_of_step(step: Step) -> PageCondition:
    """Return the condition of a step."""
    if step.acknowledgements > 1:
        return PageCondition("accepted", step.acknowledgements)
    return PageCondition(step.unless or "resolved")


def ref_of(page: EscalationPaged) -> PageRef:
    """Return the reference to a page, which leads to the condition of its step."""
    return PageRef(page.key, page.policy, page.level, page.step, page.escalation_policy)


def condition_of(policy: Policy, page: PageRef) -> PageCondition:
    """Return the condition of the step of a page; `policy` is its version."""
    steps = policy.escalation.steps_of(page.escalation_policy, page.level)
    return condition_of_step(steps[page.step]) if steps else UNTIL_ACCEPTED


def holds(case: Case, condition: PageCondition) -> bool:
    """Tell whether a condition still asks for somebody to be paged."""
    match condition.unless:
        case "accepted":
            return len(case.post.takers) < condition.acknowledgements
        case "acknowledged":
            return not case.taken
        case "resolved":
            return True
        case _:
            assert_never(condition.unless)


def is_wanted(case: Case, policy: Policy, page: PageRef, person: str) -> bool:
    """Tell whether a person is still to be told of a page that was made.

    Not once the incident has left the level and the team that the page is of, is over,
    or is back; and not after they answered.
    """
    post = case.post
    has_answered = person in post.takers or person in post.declined
    if not case.searches or page.key not in post.paged or has_answered:
        return False
    return holds(case, condition_of(policy, page))
