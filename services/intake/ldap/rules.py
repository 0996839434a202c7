"""From entries of an LDAP server to people as the desk wishes them. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.intake.directory.file import checked
from services.intake.directory.store import Columns
from services.intake.ldap.document import Attributes, LdapDocument, normal_dn
from services.intake.people.import_plan import WishedPerson
from services.intake.people.sync_plan import LeftOut, PeopleFound
from shared.domain.events.person import Role
from shared.domain.limits import Limits
from shared.settings import GroupRight

DISABLED = ("userAccountControl", "nsAccountLock")
"""Attributes that say that an account is disabled: Active Directory's, and those of
389 Directory Server and FreeIPA."""
_DISABLED_BIT = 0x2
MEMBERS = ("member", "uniqueMember", "memberUid")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with the attributes that were asked, by their names in lower case."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def values(self, name: str | None) -> tuple[bytes, ...]:
        """Return the values of an attribute."""
        return self.attributes.get(name.lower(), ()) if name else ()


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a group: names in one notation, and ids in lower case."""

    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def __or__(self, other: "Members") -> "Members":
        return Members(self.names | other.names, self.ids | other.ids)


@dataclass(slots=True)
class _Sorted:
    """Entries, each in one place."""

    people: list[tuple[Entry, dict[str, str | None]]] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    left_out: list[LeftOut] = field(default_factory=list)
    disabled: int = 0


def members_of(group: Entry) -> Members:
    """Return the direct members of a group; values that cannot be read are skipped."""
    names = map(name_of, member_names(group))
    ids = (_text(value) for value in group.values("memberUid"))
    return Members(
        frozenset(each for each in names if each),
        frozenset(each.lower() for each in ids if each),
    )


def member_names(group: Entry) -> list[str]:
    """Return the names of the direct members of a group, as they are written."""
    named = (*group.values("member"), *group.values("uniqueMember"))
    return [text for text in map(_text, named) if text]


def people_found(
    entries: Sequence[Entry], members: Mapping[str, Members], document: LdapDocument
) -> PeopleFound:
    """Return the people in the entries, and which entries are left out and why.

    `members` has those of each group in the document. An id that is listed but left
    out is not removed. A disabled account counts as not listed.
    """
    found = _sorted(entries, document.attributes)
    twice = {
        id_ for id_, n in Counter(c["id"] for _, c in found.people).items() if n > 1
    }
    wished = []
    for entry, columns in found.people:
        id_ = str(columns["id"])
        if id_ in twice:
            why = f"another entry has the id {id_} too"
            found.left_out.append(LeftOut(entry.dn, why))
            continue
        row = _checked(entry, columns, found)
        if row is not None:
            wished.append(WishedPerson(row, _roles(entry, id_, members, document)))
    return PeopleFound(
        tuple(wished), frozenset(found.listed), tuple(found.left_out), found.disabled
    )


def _sorted(entries: Iterable[Entry], attributes: Attributes) -> _Sorted:
    found = _Sorted()
    for entry in entries:
        if is_disabled(entry):
            found.disabled += 1
            continue
        id_ = (_first(entry, attributes.id) or "").strip().lower()
        if not id_:
            why = f"it has no `{attributes.id}` that is text"
            found.left_out.append(LeftOut(entry.dn, why))
            continue
        found.listed.add(id_)
        if name_of(entry.dn) is None:
            found.left_out.append(LeftOut(entry.dn, "its name cannot be read"))
            continue
        found.people.append((entry, _columns(entry, id_, attributes)))
    return found


def is_disabled(entry: Entry) -> bool:
    """Return whether an account is disabled; what is not a number says nothing."""
    control, lock = (_first(entry, name) or "" for name in DISABLED)
    is_number = re.fullmatch(r"-?[0-9]{1,10}", control, re.ASCII)
    return bool(is_number and int(control) & _DISABLED_BIT) or lock.lower() == "true"


def _columns(entry: Entry, id_: str, attributes: Attributes) -> dict[str, str | None]:
    given: dict[str, str | None] = {"id": id_}
    for column, attribute in attributes.model_dump(exclude={"id"}).items():
        if attribute is not None:
            given[column] = (_first(entry, attribute) or "").strip() or None
    language = given.get("language")
    if language:  # `fr-FR`, or `fr, en;q=0.5` as RFC 2798 has it
        given["language"] = language[:2].lower()
    return given


def _checked(
    entry: Entry, columns: dict[str, str | None], found: _Sorted
) -> Columns | None:
    """Return the columns that are valid; None if the id or the name is not."""
    row = checked(dict(columns))
    if not isinstance(row, list):
        return row
    found.left_out += [LeftOut(entry.dn, f"{name}: {why}", name) for name, why in row]
    wrong = {name for name, _ in row}
    if wrong & {"id", "name"}:
        return None
    left = checked({k: v for k, v in columns.items() if k not in wrong})
    return None if isinstance(left, list) else left


def _roles(
    entry: Entry, id_: str, members: Mapping[str, Members], document: LdapDocument
) -> Sequence[tuple[Role, Limits]] | None:
    """Return what somebody's groups give them; None if no group gives anything."""
    if not document.groups:
        return None
    name = name_of(entry.dn)
    given = [
        _right(right)
        for group, rights in document.groups.items()
        if name in members[group].names or id_ in members[group].ids
        for right in rights
    ]
    return list(dict.fromkeys(given))


def _right(right: GroupRight) -> tuple[Role, Limits]:
    named = (right.clients, right.services, right.teams)
    return right.role, Limits(*(None if n is None else frozenset(n) for n in named))


def _first(entry: Entry, attribute: str) -> str | None:
    """Return the first value that is text, or None."""
    texts = (_text(value) for value in entry.values(attribute))
    return next((text for text in texts if text is not None), None)


def name_of(dn: str) -> str | None:
    """Return a name in one notation, None if it is not a name."""
    try:
        return normal_dn(dn)
    except ValueError:
        return None


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
