"""The table of actions on a person: each form, and the command that it sends."""

from collections.abc import Sequence
from dataclasses import replace

from services.projections.web.actions import Action, Field
from shared.domain.commands.person import CorrectPerson, RemovePerson

ROLES = ("agent", "manager", "auditor", "admin", "client")
_WHY = Field("reason")
GRANT = Action(
    "grant",
    (
        Field("role", "choice", required=True, choices=ROLES),
        Field("teams", "names"),
        Field("services", "names"),
        Field("clients", "names"),
        Field("until", "instant"),
        _WHY,
    ),
)
INVITE = Action(
    "invite",
    (
        Field("name", required=True),
        Field("email", required=True),
        Field("person", required=True),
        *GRANT.fields,
    ),
    command="invitation",
    versioned=False,
)
WITHDRAW = Action("withdraw", (Field("grant", "reference", required=True), _WHY))
MOVE = Action(
    "move",
    (
        Field("grant", "reference", required=True),
        Field("teams", "names", required=True),
        _WHY,
    ),
)
CORRECT = Action(
    CorrectPerson.verb,
    (
        Field("name", required=True),
        Field("phone"),
        Field("email"),
        Field("client"),
        Field("language"),
        Field("zone"),
    ),
    versioned=False,
)
"""The entry of a person in the directory; a field that is left blank is cleared."""
REMOVE = Action(RemovePerson.verb, (_WHY,))
ACTIONS = (GRANT, WITHDRAW, MOVE, CORRECT)
"""What the screen of a person offers; a removal has a screen of its own."""


def adapted(action: Action, teams: Sequence[str], zone: str) -> Action:
    """Return an action with the teams of the policy to choose from, and the zone."""
    return replace(
        action,
        fields=tuple(
            replace(
                field,
                zone=zone,
                choices=tuple(teams) if field.name == "teams" else field.choices,
            )
            for field in action.fields
        ),
    )
