"""Secrets of a desk on one machine: created once, readable by their owner only.

They belong to the data. If they are lost or mixed up they are never silently created
again, since a new vault key would leave all personal data unreadable for ever.
"""

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.database.migrate import ROLES
from shared.security.nats_issuer import new_seed
from standalone.folder import write_private
from standalone.nats import USERS
from standalone.startup_error import Exit, StartupError

_VAULT_KEY_BYTES = 32
ADMIN = "person:admin"
FIRST_LABEL = "made by the first start"
"""The label of the administrator's token and of the source key."""


@dataclass(frozen=True)
class Credentials:
    """`roles` of PostgreSQL and users of `nats`, each with a password.

    `nats_issuer` is the seed of the key that signs which sources may connect to NATS.
    `token` (an administrator's) and `source_key` are for the demonstration; both are
    empty until the first start has created them.
    """

    owner: str
    roles: Mapping[str, str]
    nats: Mapping[str, str]
    token: str = ""
    source_key: str = ""
    nats_issuer: str = ""


def credentials_file(home: Path) -> Path:
    """Return the file that holds the credentials of the desk in `home`."""
    return home / "credentials.json"


def vault_key_file(home: Path) -> Path:
    """Return the file with the base64 master key of the vault."""
    return home / "vault.key"


def keep_credentials(home: Path, credentials: Credentials) -> None:
    """Write `credentials` for the next start."""
    write_private(credentials_file(home), json.dumps(asdict(credentials), indent=1))


def own_credentials(home: Path, *, has_data: bool) -> Credentials:
    """Return the credentials of `home`, creating them at the first start.

    Raises `StartupError` if there is data but not both files, or one cannot be read.
    """
    missing = [
        path.name
        for path in (credentials_file(home), vault_key_file(home))
        if not path.exists()
    ]
    if not missing:
        return _read(credentials_file(home))
    if has_data:
        raise StartupError(
            f"{' and '.join(missing)} is missing in {home}, but the data it opens is "
            "there: put it back from a backup, or start again with `make clean` "
            "(which deletes the data).",
            Exit.CREDENTIALS,
        )
    # The key is written first: if the credentials exist, both do.
    key = b64encode(secrets.token_bytes(_VAULT_KEY_BYTES)).decode()
    write_private(vault_key_file(home), key + "\n")
    fresh = Credentials(
        owner=secrets.token_urlsafe(24),
        roles={role: secrets.token_urlsafe(24) for role in ROLES},
        nats={user: secrets.token_urlsafe(24) for user in USERS},
        nats_issuer=new_seed(),
    )
    keep_credentials(home, fresh)
    return fresh


def _read(path: Path) -> Credentials:
    try:
        held = Credentials(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as reason:
        raise StartupError(
            f"{path} cannot be read ({reason}): put it back from a backup, or start "
            "again with `make clean` (which deletes the data).",
            Exit.CREDENTIALS,
        ) from reason
    # A role or user of a later version gets its password at the next start.
    return Credentials(
        owner=held.owner,
        roles={
            role: held.roles.get(role) or secrets.token_urlsafe(24) for role in ROLES
        },
        nats={user: held.nats.get(user) or secrets.token_urlsafe(24) for user in USERS},
        token=held.token,
        source_key=held.source_key,
        nats_issuer=held.nats_issuer or new_seed(),
    )
