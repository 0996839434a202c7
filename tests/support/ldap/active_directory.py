"""An LDAP server that gives the values of an attribute in parts, as Active Directory.

OpenLDAP always gives all of them. This one knows one group, in the classes with which
ldap3 reads and writes messages (RFC 4511), and nothing else.
"""

import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ldap3.protocol import rfc4511 as ldap
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import SubstrateUnderrunError

PART = 1_500
"""How many values Active Directory gives at once (`MaxValRange`)."""
_READ_MAX = 65_536


@dataclass(frozen=True)
class RangedGroup:
    """A group with its members, which are given in parts until `ends_after`."""

    dn: str
    members: Sequence[str]
    ends_after: int | None = None
    """The number of a member after which the server answers without an entry."""

    def part(self, asked: str) -> tuple[str, Sequence[str]] | None:
        """Return the values that are asked with `member` or `member;range=7-*`."""
        _, _, given = asked.partition(";range=")
        first = int(given.partition("-")[0] or 0)
        if self.ends_after is not None and first > self.ends_after:
            return None
        last = first + PART - 1
        if last >= len(self.members) - 1:
            return f"member;range={first}-*", self.members[first:]
        return f"member;range={first}-{last}", self.members[first : last + 1]


@contextmanager
def active_directory(group: RangedGroup) -> Iterator[int]:
    """Serve a group while the body runs; gives the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            for message in _messages(self.request):
                for answer in _answers(group, message):
                    self.request.sendall(encoder.encode(answer))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _messages(connection: Any) -> Iterator[Any]:
    held = b""
    while read := connection.recv(_READ_MAX):
        held += read
        while held:
            try:
                message, held = decoder.decode(held, asn1Spec=ldap.LDAPMessage())
            except SubstrateUnderrunError:
                break
            yield message


def _answers(group: RangedGroup, message: Any) -> Iterator[Any]:
    request = message["protocolOp"]
    match request.getName():
        case "bindRequest":
            yield _message(message, "bindResponse", ldap.BindResponse())
        case "searchRequest":
            search = request["searchRequest"]
            asked = [str(each) for each in search["attributes"]]
            names = [name for name in asked if name.startswith("member")]
            part = (
                group.part(names[0]) if str(search["baseObject"]) == group.dn else None
            )
            if part is not None:
                entry = _entry(group.dn, *part)
                yield _message(message, "searchResEntry", entry)
            yield _message(message, "searchResDone", ldap.SearchResultDone())
        case _:
            return


def _entry(dn: str, name: str, values: Sequence[str]) -> Any:
    attribute = ldap.PartialAttribute()
    attribute["type"] = name
    for number, value in enumerate(values):
        attribute["vals"][number] = value.encode()
    entry = ldap.SearchResultEntry()
    entry["object"] = dn
    entry["attributes"][0] = attribute
    return entry


def _message(request: Any, kind: str, operation: Any) -> Any:
    if kind != "searchResEntry":
        operation["resultCode"] = 0
        operation["matchedDN"] = ""
        operation["diagnosticMessage"] = ""
    answer = ldap.LDAPMessage()
    answer["messageID"] = request["messageID"]
    answer["protocolOp"][kind] = operation
    return answer
