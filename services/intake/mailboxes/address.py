"""The address and login of a mailbox, from the URL in a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

INBOX = "INBOX"
_PORTS = {"imaps": 993, "imap": 143}
FILE_BYTES_MAX = 4_096


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
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def address_of(reference: str, environment: Mapping[str, str]) -> Address:
    """Return the mailbox in `env:NAME` or `file:PATH`. Raises `NoAddress`."""
    written = _secret(reference, environment)
    form = f"write {reference} as imaps://name:password@host/INBOX"
    try:
        parts = urlsplit(written)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise NoAddress(f"its address is none: {form}") from error
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


def _secret(reference: str, environment: Mapping[str, str]) -> str:
    kind, _, name = reference.partition(":")
    if kind == "env":
        held = environment.get(name, "")
        if not held.strip():
            raise NoAddress(f"the environment of intake has no {name}: set it")
        return held.strip()
    try:
        with Path(name).open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode().strip()
    except (OSError, ValueError) as error:
        raise NoAddress(f"intake cannot read {name}: put the address there") from error
