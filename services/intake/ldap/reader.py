"""Reads everybody from LDAP, as the file of settings says: all of them, or it fails."""

import os
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from services.intake.ldap.document import BYTES_MAX, LdapDocument, read
from services.intake.ldap.rules import (
    Members,
    member_names,
    members_of,
    name_of,
    people_found,
)
from services.intake.ldap.session import LdapFailure, Session, opened
from services.intake.people.sync_plan import PeopleFound
from services.intake.secret_reference import NoSecret, secret_of

INNER_GROUPS_MAX = 1_000
MISTAKES_SHOWN = 5


class LdapMisconfigured(Exception):
    """The settings cannot be used; the message says what to correct."""


@dataclass(frozen=True)
class LdapReader:
    """Reads people with the settings in `file`; it blocks, so it runs in a thread."""

    file: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def document(self) -> LdapDocument:
        """Return the settings; raises `LdapMisconfigured`."""
        try:
            with self.file.open("rb") as held:
                text = held.read(BYTES_MAX).decode()
        except (OSError, ValueError) as error:
            raise LdapMisconfigured(
                f"intake cannot read {self.file}: {type(error).__name__}"
            ) from error
        document = read(text)
        if isinstance(document, list):
            shown = "; ".join(map(str, document[:MISTAKES_SHOWN]))
            raise LdapMisconfigured(f"correct {self.file}: {shown}")
        return document

    def found(self, stops: Callable[[], bool] = lambda: False) -> PeopleFound:
        """Return everybody; raises `LdapMisconfigured` and `LdapFailure`.

        Ends with a failure, after the answer that it waits for, once `stops` says so.
        """
        document = self.document()
        with opened(document, self._password(document), stops) as session:
            entries = session.people(document)
            people = {name_of(entry.dn) or entry.dn for entry in entries}
            members = {
                group: _members(session, group, people, nested=document.nested)
                for group in document.groups
            }
        return people_found(entries, members, document)

    def _password(self, document: LdapDocument) -> str | None:
        if document.password is None:
            return None
        try:
            return secret_of(document.password, self.environment)
        except NoSecret as error:
            raise LdapMisconfigured(str(error)) from error


def _members(
    session: Session, group: str, people: AbstractSet[str], *, nested: bool
) -> Members:
    """Return the members of a group, with `nested` those of groups in it too."""
    outer = session.group(group)
    found = members_of(outer)
    waiting = [outer] if nested else []
    seen = {name_of(group)}
    while waiting:
        for dn in member_names(waiting.pop()):
            name = name_of(dn)
            if name in seen or name in people:
                continue
            seen.add(name)
            if len(seen) > INNER_GROUPS_MAX:
                raise LdapFailure(
                    f"{group} has more than {INNER_GROUPS_MAX} members that are not "
                    "people: name smaller groups, or do without `nested`"
                )
            inner = session.inner_group(dn)
            if inner is not None:
                found |= members_of(inner)
                waiting.append(inner)
    return found
