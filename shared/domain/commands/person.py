"""The commands on people: the body of each request, one class for each verb.

Intake owns the streams of people: it decides who may give which right to whom.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant, Reason, visible
from shared.domain.commands.caller import PersonEmail, PersonName, PersonPhone
from shared.domain.commands.incident import CommandBody
from shared.domain.events.person import GrantId, Role
from shared.domain.policy.clause import Language, Name, Person
from shared.domain.policy.cross_checks import is_zone

NAMES_MAX = 100
ITEMS_MAX = 1_000
"""The maximum number of people that the answer to an import lists."""
IMPORT_BYTES_MAX = 512 * 1024
REMOVED_SHARE_MAX = 10
"""The maximum percentage of people that one import may remove."""

Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=NAMES_MAX)]


class GrantRole(CommandBody):
    """Give a person a role, perhaps within limits and until an instant.

    An administrator may give any role, a manager that of an agent in their own teams.
    Nobody gives a role to themselves, and nobody gives more than they have.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "grant"
    person: Person
    role: Role
    clients: Names | None = None
    """Only records of these clients. Default: of any."""
    services: Names | None = None
    """Only records of these services. Default: of any."""
    teams: Names | None = None
    """Only records that these teams have. Default: any."""
    until: Instant | None = None
    """When it ends by itself. Default: it lasts until it is withdrawn."""
    reason: Reason | None = None


class WithdrawRole(CommandBody):
    """Withdraw a role that a person was given."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "withdraw"
    person: Person
    grant: GrantId
    reason: Reason | None = None


class MovePerson(CommandBody):
    """Move a person's role to other teams: it is withdrawn and given at once.

    Its other limits and its end stay as they are.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "move"
    person: Person
    grant: GrantId
    teams: Names
    """The teams to which the role is limited afterwards."""
    reason: Reason | None = None


class InvitePerson(CommandBody):
    """Invite a person: give them a role, and mail them a link that signs them in once.

    Who is not in the directory yet is added. Who is there keeps their entry: the
    address has to be theirs, or somebody else could sign in as they. The link can be
    used for a week, and replaces an earlier one.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "invite"
    person: Person
    email: PersonEmail
    name: PersonName
    language: Language | None = None
    """In which they are written to. Default: the desk's first language."""
    role: Role
    clients: Names | None = None
    """Only records of these clients. Default: of any."""
    services: Names | None = None
    """Only records of these services. Default: of any."""
    teams: Names | None = None
    """Only records that these teams have. Default: any."""
    until: Instant | None = None
    """When the role ends by itself. Default: it lasts until it is withdrawn."""
    reason: Reason | None = None


def _zone(name: str) -> str:
    if not is_zone(name):
        raise PydanticCustomError("zone", "write a time zone such as Europe/Paris")
    return name


class CorrectPerson(CommandBody):
    """Correct the entry of a person in the directory, and confirm it.

    Fields that are absent stay as they are, null clears one; without any, the entry is
    confirmed as it is. The directory is not in the log, and so neither is this. Once
    somebody is confirmed, or has a role, only an administrator corrects their entry;
    whose own rights are limited corrects without confirming.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "correct"
    person: Person
    name: PersonName | None = None
    """Default, and null: as it is."""
    email: PersonEmail | None = None
    phone: PersonPhone | None = None
    language: Language | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    client: Name | None = None
    """The organisation that they belong to."""


class RemovePerson(CommandBody):
    """Remove a person: all roles, tokens, sessions and links end at once."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "remove"
    person: Person
    reason: Reason | None = None


class ImportPeople(CommandBody):
    """Add and change people and their roles, all that are in the file or none.

    Of a file that changes more than 1,000 addresses and roles, the entries are written
    in parts first, then the roles, all or none.

    The columns are those of the directory and `role`, `teams`, `services` and
    `clients`; several names in a cell are separated by spaces. A person with a `role`
    has this role afterwards, and no other one from an earlier import. Without the
    column `role`, nobody's roles change.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "import"
    sent_once: ClassVar[bool] = True
    text: Annotated[
        str, StringConstraints(max_length=IMPORT_BYTES_MAX), AfterValidator(visible)
    ]
    """The file."""
    format: Literal["csv", "yaml"] = "csv"
    preview: bool = False
    """Only show what would change."""
    remove_missing: bool = False
    """Remove everybody who is not in the file. Refused if that is more than 10 %."""
    expected: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The `digest` of a preview: refused if the import would change something else."""


class SyncPeople(CommandBody):
    """Make people and their roles what LDAP says, as intake is set up to read it.

    Only people that LDAP once had are removed when it has them no more, and nobody at
    all if that is more than 10 %.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "sync"
    sent_once: ClassVar[bool] = True
    preview: bool = False
    """Only show what would change."""


PersonCommand = (
    GrantRole
    | WithdrawRole
    | MovePerson
    | InvitePerson
    | CorrectPerson
    | RemovePerson
    | ImportPeople
    | SyncPeople
)

BODIES: Mapping[str, type[PersonCommand]] = {
    kind.verb: kind for kind in get_args(PersonCommand)
}
"""The body of each verb."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class PersonAnswer(_Answer):
    """The outcome of a command about a person, as that of other commands."""

    outcome: Literal["recorded", "already", "repeated"]
    person: Person
    version: int
    """The version of the person's rights after it; send it as `If-Match`."""
    positions: list[int]
    grants: list[GrantId]
    """The roles that it gave or withdrew."""


class PersonRemovedAnswer(PersonAnswer):
    """The outcome of a removal: what ended."""

    tokens: int
    """How many tokens were revoked."""
    sessions: int = 0
    """How many sessions were ended."""
    links: int = 0
    """How many links and codes to sign in were revoked."""


class RoleChange(_Answer):
    """A role that is given or withdrawn, with its limits."""

    role: Role
    clients: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None


class PersonChange(_Answer):
    """What an import does to a person."""

    person: Person
    change: Literal["added", "changed", "unchanged", "removed"]
    columns: tuple[str, ...] = ()
    """The columns of the directory that change."""
    given: tuple[RoleChange, ...] = ()
    withdrawn: tuple[RoleChange, ...] = ()


class PeopleImported(_Answer):
    """The outcome of an import, or of its preview."""

    preview: bool
    added: int
    changed: int
    unchanged: int
    removed: int
    positions: list[int]
    digest: str = ""
    """Of everything that it changes: send that of a preview as `expected`."""
    items: list[PersonChange]
    """Those who change, by id; at most 1,000."""
    unreadable: list[Person] = []
    """Whose roles were left as they are, since this version cannot read an event about
    them."""


class LeftOutView(_Answer):
    """An entry in LDAP that was not taken, or one column of it that was not."""

    who: str
    """The name of the entry, or the id of the person."""
    why: str
    column: str | None
    """Null: the whole entry."""


class PeopleSynchronised(PeopleImported):
    """The outcome of a synchronisation, or of its preview."""

    disabled: int
    """How many accounts are disabled there: they count as not listed."""
    left_out: list[LeftOutView]
    """What was not taken; at most 1,000. Nobody is removed for that."""
