"""Where NATS is, and as whom one connects to it.

Name and password are options of the connection, not parts of its addresses: nats-py
also tries servers of the cluster that it has discovered, and has no password for those.
Such a server would reject it, and the library then closes permanently.

Answers to a user arrive under a prefix of its own, inaccessible to every other user.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from shared.messaging import subjects

SCHEMES = ("nats", "tls")
FORM = "write nats://name:password@host:4222, with commas between the servers"
DEFAULT_PORT = 4222


@dataclass(frozen=True, slots=True)
class NatsAddress:
    """The addresses of NATS without secrets, and the secrets separately."""

    servers: Sequence[str]
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def endpoints(self) -> Sequence[tuple[str, int]]:
        """The host and port of each server."""
        parts = map(urlsplit, self.servers)
        return [(part.hostname or "", part.port or DEFAULT_PORT) for part in parts]

    @property
    def inbox_prefix(self) -> str | None:
        """The prefix of the subjects on which answers arrive; None without a user."""
        return subjects.inbox_prefix(self.user) if self.user else None

    @property
    def options(self) -> dict[str, str]:
        """The options for nats-py in addition to the servers."""
        given = {
            "user": self.user,
            "password": self.password,
            "token": self.token,
            "inbox_prefix": self.inbox_prefix,
        }
        return {name: value for name, value in given.items() if value is not None}


def nats_address(url: str) -> NatsAddress:
    """Return the comma-separated servers in `url`.

    One of them may contain the name and password for all. Raises `ValueError`.
    """
    parts = [_parts(each.strip()) for each in url.split(",")]
    logins = {(part.username, part.password) for part in parts if part.username}
    if len(logins) > 1:
        raise ValueError("all servers take the same name and password")
    servers = [f"{part.scheme}://{part.netloc.rpartition('@')[2]}" for part in parts]
    match next(iter(logins), None):
        case None:
            return NatsAddress(servers)
        case (token, None):
            return NatsAddress(servers, token=token)
        case (user, password):
            return NatsAddress(servers, user, password)


def _parts(server: str) -> SplitResult:
    parts = urlsplit(server)
    spaced = any(map(str.isspace, server))
    if parts.scheme not in SCHEMES or not parts.hostname or spaced:
        raise ValueError(FORM)
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(FORM) from error
    if port == 0:
        raise ValueError(FORM)
    return parts
