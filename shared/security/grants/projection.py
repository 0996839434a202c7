"""The rows that follow from what a person was given, and how tables differ. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from shared.domain.limits import names_of
from shared.domain.person import HeldGrant, PersonRights

Kind = Literal["added", "missing", "changed", "unreadable"]


class GrantRow(NamedTuple):
    """A row of `access.grants`."""

    grant_id: str
    person: str
    role: str
    clients: Sequence[str] | None
    services: Sequence[str] | None
    teams: Sequence[str] | None
    given_by: str
    given_at: datetime
    until: datetime | None
    withdrawn_at: datetime | None


class RemovalRow(NamedTuple):
    """A row of `access.removed_people`."""

    person: str
    removed_at: datetime
    removed_by: str
    returned_at: datetime | None
    removal: int
    """The version of its event in the person's stream."""


@dataclass(frozen=True, slots=True)
class PersonRows:
    """All rows about a person, grants by id."""

    grants: Mapping[str, GrantRow] = field(default_factory=dict)
    removal: RemovalRow | None = None


NO_ROWS = PersonRows()


@dataclass(frozen=True, slots=True)
class Difference:
    """What a table says about a person's rights and the log does not, or reverse."""

    person: str
    kind: Kind
    grant: str | None
    """The right; None if it is about the removal, or all rights."""
    sentence: str


def rows_of(person: str, rights: PersonRights) -> PersonRows:
    """Return the rows that follow from a person's events."""
    grants = {
        grant: _grant_row(person, held) for grant, held in rights.all_grants().items()
    }
    gone = rights.removal
    if gone is None:
        return PersonRows(grants)
    removal = RemovalRow(person, gone.at, gone.by, gone.returned_at, gone.version)
    return PersonRows(grants, removal)


def differences(
    person: str, rights: PersonRights, found: PersonRows
) -> Iterator[Difference]:
    """Yield each difference between a person's events and the tables."""
    if rights.unreadable is not None:
        yield Difference(
            person,
            "unreadable",
            None,
            f"{person}: {rights.unreadable} cannot be read, so the rights cannot be "
            "compared: upgrade, or see docs/how-to/parked-events.md",
        )
        return
    due = rows_of(person, rights)
    for grant in sorted({*due.grants, *found.grants}):
        yield from _grant_difference(due.grants.get(grant), found.grants.get(grant))
    if due.removal != found.removal:
        yield _removal_difference(person, due.removal, found.removal)


def _grant_row(person: str, held: HeldGrant) -> GrantRow:
    return GrantRow(
        held.grant,
        person,
        held.role,
        *names_of(held.limits),
        held.given_by,
        held.given_at,
        held.until,
        held.withdrawn_at,
    )


def _grant_difference(
    due: GrantRow | None, found: GrantRow | None
) -> Iterator[Difference]:
    match due, found:
        case None, GrantRow() as row:
            said = f"{_described(row)} is in the table, and no event gives it"
            yield Difference(row.person, "added", row.grant_id, said)
        case GrantRow() as row, None:
            said = f"{_described(row)} is missing in the table"
            yield Difference(row.person, "missing", row.grant_id, said)
        case GrantRow() as row, GrantRow() as other if row != other:
            changes = ", ".join(
                f"{name} is {_text(theirs)} instead of {_text(ours)}"
                for name, ours, theirs in zip(row._fields, row, other, strict=True)
                if ours != theirs
            )
            said = f"{_described(row)} was changed in the table: {changes}"
            yield Difference(row.person, "changed", row.grant_id, said)
        case _:
            pass


def _removal_difference(
    person: str, due: RemovalRow | None, found: RemovalRow | None
) -> Difference:
    kind: Kind = "added" if due is None else "missing" if found is None else "changed"
    return Difference(
        person,
        kind,
        None,
        f"{person}: {_departure(due)} by the log, {_departure(found)} by the table",
    )


def _departure(row: RemovalRow | None) -> str:
    if row is None:
        return "never removed"
    since = (
        f"removed at {_text(row.removed_at)} by {row.removed_by} (event {row.removal})"
    )
    back = row.returned_at
    return since if back is None else f"{since}, back since {_text(back)}"


def _described(row: GrantRow) -> str:
    limits = ", ".join(
        f"{kind} {' '.join(names)}"
        for kind, names in (
            ("clients", row.clients),
            ("services", row.services),
            ("teams", row.teams),
        )
        if names is not None
    )
    within = f"limited to {limits}" if limits else "without limits"
    return (
        f"{row.person}: the role {row.role} {within} ({row.grant_id}, given by "
        f"{row.given_by})"
    )


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case datetime():
            return value.isoformat()
        case list():
            return " ".join(map(str, value))
        case _:
            return str(value)
