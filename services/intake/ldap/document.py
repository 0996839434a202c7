"""The file that says where people are in LDAP, and what their groups may do.

It is read for each synchronisation, so a change needs no restart. Its password is
elsewhere: in the environment, or in a file.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from ldap3.core.exceptions import LDAPExceptionError
from ldap3.utils.dn import parse_dn
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic import ValidationError as Invalid

from shared import yaml12
from shared.domain.policy.clause import Clause
from shared.domain.policy.durations import Duration
from shared.domain.policy.sources import Secret
from shared.domain.policy.validation import explained
from shared.http.networks import is_loopback
from shared.mistake import Mistake, path_text
from shared.settings import GroupRight

EVERY_MIN = timedelta(minutes=5)
GROUPS_MAX = 200
BYTES_MAX = 256 * 1024
_PORTS = {"ldaps": 636, "ldap": 389}


def _url(written: str) -> str:
    parts = urlsplit(written)
    try:
        known = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.path.strip("/") or parts.username or parts.query:
        raise ValueError("write it as ldaps://host or ldap://host:port, nothing more")
    return written


def _dn(written: str) -> str:
    try:
        normal_dn(written)
    except ValueError as error:
        raise ValueError(
            "no distinguished name: write one such as ou=staff,dc=example,dc=org, "
            "with a backslash before a comma that belongs to a name"
        ) from error
    return written


def normal_dn(written: str) -> str:
    """Return a name in one notation: without case, spaces around `=`, and escapes.

    Raises `ValueError` if it is not one.
    """
    try:
        parts = parse_dn(written, strip=True)
    except (LDAPExceptionError, IndexError) as error:
        raise ValueError("not a distinguished name") from error
    # A separator of our own: a comma in a value does not separate.
    return "\0".join(
        f"{kind.strip().lower()}={_unescaped(value).casefold()}{_JOIN[separator]}"
        for kind, value, separator in parts
    )


_JOIN = {"+": "\1", ",": "", "": ""}


_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)


def _unescaped(value: str) -> str:
    """Return a value without its escapes (RFC 4514, 2.4)."""

    def plain(found: re.Match[bytes]) -> bytes:
        return bytes.fromhex(found[1].decode()) if found[1][1:] else found[1]

    return _ESCAPED.sub(plain, value.encode()).decode(errors="replace")


Dn = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(_dn)]
Attribute = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]


class Attributes(Clause):
    """The attribute of each column of the directory; null: the column is left alone."""

    id: Attribute = "uid"
    """Their id at the desk, in lower case: choose one that never changes."""
    name: Attribute = "cn"
    email: Attribute | None = "mail"
    phone: Attribute | None = "telephoneNumber"
    language: Attribute | None = "preferredLanguage"
    zone: Attribute | None = None
    client: Attribute | None = None


class LdapDocument(Clause):
    """Where the people are, how they are read, and what their groups may do."""

    url: Annotated[str, AfterValidator(_url)]
    """`ldaps://host`, or `ldap://host`, which begins with StartTLS unless the host is
    this machine."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust. Default: those of the system."""
    bind_dn: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    """As whom to read. Default: anonymously."""
    password: Secret | None = None
    """Where the password is: `env:NAME` or `file:PATH`."""
    base: Dn
    """Below which entry people are looked for."""
    filter: Annotated[str, StringConstraints(min_length=3, max_length=4_000)] = (
        "(objectClass=person)"
    )
    """Which entries are people. Disabled accounts are left out in any case."""
    attributes: Attributes = Attributes()
    groups: Annotated[
        Mapping[Dn, Annotated[tuple[GroupRight, ...], Field(min_length=1)]],
        Field(max_length=GROUPS_MAX),
    ] = {}
    """What the members of each group may do. Default: nobody's roles change."""
    nested: bool = False
    """Whether members of a group in a group are members of the outer one."""
    every: Duration | None = None
    """How often intake synchronises by itself. Default: only when told."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.bind_dn is None) != (self.password is None):
            raise ValueError("write `bind_dn` and `password`, or neither of them")
        if self.every is not None and self.every < EVERY_MIN:
            raise ValueError("`every` is 5m at least")
        return self

    @property
    def host(self) -> str:
        """The name of the server."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    @property
    def is_tls(self) -> bool:
        """Whether TLS is spoken from the start."""
        return urlsplit(self.url).scheme == "ldaps"

    @property
    def is_here(self) -> bool:
        """Whether the server is on this machine, so that nobody can eavesdrop."""
        return is_loopback(self.host)


def read(text: str) -> LdapDocument | list[Mistake]:
    """Return the document in `text`, YAML 1.2, or its mistakes by line."""
    written = yaml12.read(text)
    if isinstance(written, list):
        return written
    try:
        return LdapDocument.model_validate(written.value)
    except Invalid as error:
        return [
            Mistake(
                path_text(one["loc"]),
                written.line(one["loc"]),
                explained(one, LdapDocument),
            )
            for one in error.errors(include_url=False, include_input=False)
        ]
