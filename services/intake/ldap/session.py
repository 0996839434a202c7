"""One connection to an LDAP server (RFC 4511): people page by page, and their groups.

It blocks, so it runs in a thread. An answer is complete or a failure: ldap3 raises for
most results, but returns what it has when a limit was reached or a referral came.
Active Directory gives the members of a group 1,500 at a time (MS-ADTS 3.1.1.3.1.3.3);
ldap3 would ask for the rest, but believes an answer that ends in between.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ldap3 import BASE, DEREF_NEVER, NONE, SUBTREE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import (
    LDAPException,
    LDAPInvalidCredentialsResult,
    LDAPNoSuchObjectResult,
    LDAPOperationResult,
)

from services.intake.ldap.document import LdapDocument
from services.intake.ldap.rules import DISABLED, MEMBERS, Entry

CONNECT_SECONDS = 5
ANSWER_SECONDS = 10
"""How long a server may take for any answer."""
SECONDS_MAX = 300.0
"""How long all of them together may take."""
PAGE = 500
"""Entries in an answer: Active Directory gives 1,000 at most."""
ENTRIES_MAX = 50_000
_PAGES = "1.2.840.113556.1.4.319"
_SUCCESS = 0
_MEMBER = "a member of a group"
_ANY = "(objectClass=*)"
_PART = re.compile(r"(?P<name>[^;]+);range=\d+-(?P<last>\d+|\*)")
"""The name of an attribute of which not all values are given."""
_GROUPS = (
    "(|(objectClass=group)(objectClass=groupOfNames)"
    "(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
)

_Search = tuple[str, str, Any]
"""Where, what and how deep."""


class LdapFailure(Exception):
    """People could not be read, or not all of them; the message says why."""


class VerifiedTls(Tls):
    """TLS as Python's ssl does it: certificate, host name and SNI are checked."""

    def __init__(self, ca_file: str | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = ssl.create_default_context(cafile=ca_file)

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ANN401, ARG002 # as ldap3 calls it
        """Begin TLS on the socket of a connection."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


class Session:
    """An open connection. Each method may raise `LdapFailure`."""

    def __init__(
        self,
        connection: Connection,
        stops: Callable[[], bool],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._stops = stops
        self._elapsed = elapsed
        self._until = elapsed() + SECONDS_MAX

    def people(self, document: LdapDocument) -> list[Entry]:
        """Return every entry that is a person, with the attributes that are asked."""
        named = document.attributes.model_dump().values()
        asked = sorted({*filter(None, named), *DISABLED})
        search = (document.base, document.filter, SUBTREE)
        return list(self._pages(search, asked, f"`base` ({document.base})"))

    def group(self, dn: str) -> Entry:
        """Return a group with its members. One that is missing is a failure.

        If it counted as empty, a group that was renamed would take its members' rights.
        """
        what = f"group {dn}"
        found = list(self._pages((dn, _ANY, BASE), MEMBERS, what))
        if not found:
            raise LdapFailure(f"the group {dn} is not there, or may not be read")
        return self._whole(found[0], what)

    def inner_group(self, dn: str) -> Entry | None:
        """Return a member of a group if it is itself a group.

        It may be a person: a failure does not name it, since it is logged.
        """
        try:
            found = list(self._pages((dn, _GROUPS, BASE), MEMBERS, _MEMBER))
        except _Missing:
            return None
        return self._whole(found[0], _MEMBER) if found else None

    def _whole(self, group: Entry, what: str) -> Entry:
        """Return a group with all members, also those that are given in parts."""
        attributes = dict(group.attributes)
        for name in group.attributes:
            if part := _PART.fullmatch(name):
                values = attributes.pop(name)
                rest = self._rest(group.dn, part["name"], part["last"], what)
                attributes[part["name"]] = (*values, *rest)
        return Entry(group.dn, attributes)

    def _rest(self, dn: str, name: str, last: str, what: str) -> list[bytes]:
        """Return the values of an attribute after the one with the number `last`."""
        values: list[bytes] = []
        while last != "*":
            begin = f"{name};range={int(last) + 1}-"
            asked = (dn, _ANY, BASE), [f"{begin}*"], what
            attributes = [each.attributes for each in self._pages(*asked)]
            found = [n for each in attributes for n in each if n.startswith(begin)]
            if not found:
                raise LdapFailure(f"{what} was read in part only (up to {last})")
            values += attributes[0][found[0]]
            last = found[0].removeprefix(begin)
        return values

    def _pages(
        self, search: _Search, asked: Sequence[str], what: str
    ) -> Iterator[Entry]:
        cookie: bytes | None = None
        count = 0
        while True:
            self._go_on()
            with _failures(what):
                self._ask(search, asked, cookie)
            result: Mapping[str, Any] = self._connection.result
            if result["result"] != _SUCCESS:
                why = result["description"]
                raise LdapFailure(f"{what} was read in part only ({why})")
            entries = [_entry(each) for each in self._answers() if _is(each)]
            yield from entries
            count += len(entries)
            if count > ENTRIES_MAX:
                raise LdapFailure(f"more than {ENTRIES_MAX} entries: narrow `filter`")
            page = result.get("controls", {}).get(_PAGES, {})
            cookie = page.get("value", {}).get("cookie")
            if not cookie:
                return

    def _go_on(self) -> None:
        if self._stops():
            raise LdapFailure("intake stops")
        if self._elapsed() >= self._until:
            raise LdapFailure(f"it takes longer than {SECONDS_MAX:.0f} s")

    def _answers(self) -> Sequence[Mapping[str, Any]]:
        return self._connection.response or ()

    def _ask(self, search: _Search, asked: Sequence[str], cookie: bytes | None) -> None:
        base, where, scope = search
        self._connection.search(
            base,
            where,
            scope,
            dereference_aliases=DEREF_NEVER,
            attributes=list(asked),
            paged_size=PAGE,
            paged_cookie=cookie,
        )


class _Missing(LdapFailure):
    """There is no such entry."""


@contextmanager
def opened(
    document: LdapDocument, password: str | None, stops: Callable[[], bool]
) -> Iterator[Session]:
    """Connect and log in; raises `LdapFailure`."""
    with _failures(f"the server {document.url}"):
        ca_file = str(document.ca_file) if document.ca_file else None
        connection = _connected(document, VerifiedTls(ca_file), password)
    try:
        yield Session(connection, stops)
    finally:
        with suppress(LDAPException, OSError):
            connection.unbind()


def _connected(
    document: LdapDocument, tls: VerifiedTls, password: str | None
) -> Connection:
    server = Server(
        document.host,
        document.port,
        use_ssl=document.is_tls,
        tls=tls,
        get_info=NONE,
        connect_timeout=CONNECT_SECONDS,
        allowed_referral_hosts=[],
    )
    connection = Connection(
        server,
        document.bind_dn,
        password,
        client_strategy=SYNC,
        read_only=True,
        check_names=False,
        auto_referrals=False,
        auto_range=False,
        return_empty_attributes=False,
        raise_exceptions=True,
        receive_timeout=ANSWER_SECONDS,
    )
    try:
        connection.open(read_server_info=False)
        if not document.is_tls and not document.is_here:
            connection.start_tls(read_server_info=False)
        connection.bind(read_server_info=False)
    except BaseException:
        with suppress(LDAPException, OSError):
            connection.unbind()
        if connection.socket is not None:  # ldap3 leaves one that did not connect
            connection.socket.close()
        raise
    return connection


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """Raise each error of ldap3 and of the network as `LdapFailure`."""
    try:
        yield
    except LDAPInvalidCredentialsResult as error:
        raise LdapFailure(
            "the LDAP server rejects `bind_dn` or its password: correct them"
        ) from error
    except LDAPNoSuchObjectResult as error:
        raise _Missing(f"{what} is not there, or may not be read") from error
    except LDAPOperationResult as error:
        raise LdapFailure(f"{what}: the LDAP server answers {error.description}") from (
            error
        )
    except (LDAPException, OSError) as error:
        raise LdapFailure(f"{what}: {_told(error)}") from error


def _told(error: Exception) -> str:
    """Return why, without the tuples in which ldap3 wraps texts."""
    text = str(error).partition("\n")[0][:300]
    if untrusted := re.search(r"certificate verify failed: ([^(]+)", text):
        why = untrusted[1].strip()
        return f"its certificate is not trusted ({why}): see `ca_file` and `url`"
    return text.strip("()'\", ") or type(error).__name__


def _is(answer: Mapping[str, Any]) -> bool:
    """Return whether an answer is an entry; references elsewhere are not followed."""
    return bool(answer["type"] == "searchResEntry")


def _entry(answer: Mapping[str, Any]) -> Entry:
    attributes: dict[str, tuple[bytes, ...]] = {}
    for name, values in answer["raw_attributes"].items():
        attributes[name.lower()] = tuple(bytes(value) for value in values)
    return Entry(answer["dn"], attributes)
