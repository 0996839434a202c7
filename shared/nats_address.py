"""The addresses of a NATS server, or of the servers of a cluster, and who connects.

The name and the password are options of the connection, not parts of its addresses:
nats-py also tries servers of the cluster that it was only told about, and knows no
password for those. Such a server would refuse it, and the library then closes for ever.

Answers to a user arrive under a prefix of its own, closed to every other user.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from shared import subjects

SCHEMES = ("nats", "tls")
FORM = "write nats://name:password@host:4222, with commas between the servers"
DEFAULT_PORT = 4222


@dataclass(frozen=True, slots=True)
class NatsAddress:
    """Where NATS is, without secrets, and with which secrets to connect."""

    servers: Sequence[str]
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def endpoints(self) -> Sequence[tuple[str, int]]:
        """Host and port of each server."""
        parts = map(urlsplit, self.servers)
        return [(part.hostname or "", part.port or DEFAULT_PORT) for part in parts]

    @property
    def inbox_prefix(self) -> str | None:
        """The prefix of the subjects answers arrive on; None without a user."""
        return subjects.inbox_prefix(self.user) if self.user else None

    @property
    def options(self) -> dict[str, str]:
        """What nats-py is told beside the servers."""
        given = {
            "user": self.user,
            "password": self.password,
            "token": self.token,
            "inbox_prefix": self.inbox_prefix,
        }
        return {name: value for name, value in given.items() if value is not None}


def nats_address(url: str) -> NatsAddress:
    """Return the servers in `url`, between which stand commas.

    One of them may carry the name and password for all. Raises `ValueError`.
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
