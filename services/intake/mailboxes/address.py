"""The address and login of a mailbox, from the URL in a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from services.intake.secret_reference import NoSecret, secret_of

INBOX = "INBOX"
_PORTS = {"imaps": 993, "imap": 143}


class NoAddress(Exception):
    """The secret is missing or not a mailbox URL; the message does not reveal it."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a mailbox. Without `tls`, STARTTLS is used before the login."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = INBOX
    tls: bool = True

    @property
    def is_here(self) -> bool:
        """Whether the server is on this machine, so that nobody can eavesdrop."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def address_of(reference: str, environment: Mapping[str, str]) -> Address:
    """Return the mailbox in `env:NAME` or `file:PATH`. Raises `NoAddress`."""
    try:
        written = secret_of(reference, environment)
    except NoSecret as error:
        raise NoAddress(str(error)) from error
    form = f"write {reference} as imaps://name:password@host/INBOX"
    try:
        parts = urlsplit(written)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise NoAddress(f"its address is not valid: {form}") from error
    if not port or not _is_whole(parts):
        raise NoAddress(f"its address is not that of a mailbox: {form}")
    return Address(
        parts.hostname or "",
        port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        unquote(parts.path.strip("/")) or INBOX,
        tls=parts.scheme == "imaps",
    )


def _is_whole(parts: SplitResult) -> bool:
    return bool(parts.hostname and parts.username and parts.password)
