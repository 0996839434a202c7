"""Events of what a person may do: in the stream `person-<id>`, written by intake.

Names, addresses and telephone numbers are in the directory, not in the log.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from shared.domain.events.contact_method import ContactMethodEvent
from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId

Role = Literal["agent", "manager", "auditor", "admin", "client"]
"""What somebody may do; `client`: read what concerns their own organisation."""
GrantId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,140}$")]


class PersonRoleGranted(Event):
    """A person was given a role, perhaps within limits and until an instant.

    A record is within the limits if its client, its service and its team are among
    those that are named; null means any. The grant ends by itself at `until`.
    """

    type: Literal["person.role_granted"] = "person.role_granted"
    person: PersonId
    grant: GrantId
    """The person and the version of the stream: `nadia.3`."""
    role: Role
    clients: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    until: AwareDatetime | None = None
    reason: Text | None = None
    imported: bool = False
    """Whether an import gave it: the next import withdraws it if it is not listed."""


class PersonRoleWithdrawn(Event):
    """A role was withdrawn before its end."""

    type: Literal["person.role_withdrawn"] = "person.role_withdrawn"
    person: PersonId
    grant: GrantId
    reason: Text | None = None


class PersonInvited(Event):
    """A person was invited: a link that signs them in once was mailed to them.

    Their role is given by an event of its own.
    """

    type: Literal["person.invited"] = "person.invited"
    person: PersonId
    until: AwareDatetime
    """When the link ends."""


class PersonRemoved(Event):
    """A person left: their roles were withdrawn, and their sessions, tokens and links.

    They stay in the directory, since events name them. A role that is granted later
    brings them back.
    """

    type: Literal["person.removed"] = "person.removed"
    person: PersonId
    reason: Text | None = None
    imported: bool = False
    """Whether an import removed them, since they were not listed any more: a
    synchronisation that finds them again brings them back, and nobody else."""


RightsEvent = PersonRoleGranted | PersonRoleWithdrawn | PersonInvited | PersonRemoved
PersonEvent = RightsEvent | ContactMethodEvent
