"""Where mail is handed in: `smtp://name:password@host:port` or `smtps://…`.

| written | encryption |
|---|---|
| `smtps://…` | from the first byte; the certificate is checked |
| `smtp://name:password@elsewhere` | STARTTLS or nothing; the certificate is checked |
| `smtp://host`, or with a password to this machine | STARTTLS where it is offered |
"""

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION_PORT = 587
_WRITE = "write the mail server as smtp://name:password@host:port or smtps://host"


@dataclass(frozen=True)
class MailServer:
    """A mail server, and as whom we come to it."""

    host: str
    port: int
    tls: bool
    name: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def secret_on_the_way(self) -> bool:
        """Whether a password would be seen by others, were the line not encrypted."""
        return self.password is not None and not _is_here(self.host)


def mail_server(url: str) -> MailServer:
    """Read a mail server from its URL.

    Raise `ValueError`, which does not repeat the URL, where it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(_WRITE) from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError(_WRITE)
    name = unquote(parts.username) if parts.username else None
    password = unquote(parts.password or "") if name else None
    usual = _PORTS[parts.scheme]
    if parts.scheme == "smtp" and name:
        usual = _SUBMISSION_PORT
    return MailServer(
        parts.hostname, port or usual, parts.scheme == "smtps", name, password
    )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
