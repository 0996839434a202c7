"""The answers to commands about people."""

from collections import Counter
from collections.abc import Sequence

from services.intake.people.import_plan import PersonPlan, digest_of_plans
from services.intake.people.rights_store import Ended
from shared.domain.commands.person import (
    ITEMS_MAX,
    GrantRole,
    InvitePerson,
    MovePerson,
    PeopleImported,
    PersonAnswer,
    PersonRemovedAnswer,
    RemovePerson,
    WithdrawRole,
)
from shared.domain.events.person import (
    PersonEvent,
    PersonRoleGranted,
    PersonRoleWithdrawn,
)
from shared.messaging.commands import Done

Single = GrantRole | WithdrawRole | MovePerson | RemovePerson | InvitePerson
"""A command about one person."""


def answered(  # the fields of the answer
    command: Single,
    outcome: Done,
    version: int,
    positions: Sequence[int],
    happened: Sequence[PersonEvent],
    ended: Ended = Ended(),  # noqa: B008 # frozen
) -> PersonAnswer:
    """Return the answer to a command about one person."""
    told = {
        "outcome": outcome,
        "person": command.person,
        "version": version,
        "positions": list(positions),
        "grants": [
            event.grant
            for event in happened
            if isinstance(event, PersonRoleGranted | PersonRoleWithdrawn)
        ],
    }
    if isinstance(command, RemovePerson):
        return PersonRemovedAnswer.model_validate({**told, **ended._asdict()})
    return PersonAnswer.model_validate(told)


def imported(
    plans: Sequence[PersonPlan], positions: list[int], *, preview: bool
) -> PeopleImported:
    """Return the answer to an import that did, or would do, what the plans say."""
    counts = Counter(each.change for each in plans)
    changing = sorted(
        (each for each in plans if each.change != "unchanged"),
        key=lambda each: each.person,
    )
    return PeopleImported(
        preview=preview,
        added=counts["added"],
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        removed=counts["removed"],
        positions=positions,
        digest=digest_of_plans(plans),
        items=[each.view() for each in changing[:ITEMS_MAX]],
        unreadable=sorted(each.person for each in plans if each.unreadable)[:ITEMS_MAX],
    )
