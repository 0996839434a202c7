"""Writes deploy/nats.conf, the rights of `make up` for a nats-server in a container.

Passwords come from the server's environment: `NATS_INTAKE_PASSWORD` and so on.
"""

import json
import re
from pathlib import Path

from shared.messaging.subjects import SYSTEM_ACCOUNT
from standalone.nats import USERS, VANISHED, accounts, authorization, jetstream

PAGE = Path(__file__).parents[2] / "deploy" / "nats.conf"
_HEAD = """\
# The nats-server of docker-compose.yml. Written by `make docs`, from the rights in
# standalone/nats.py. Passwords come from the environment; letters and digits
# only, a letter first: the server reads them as it reads this file.
"""


def page() -> str:
    """Return the configuration: JSON, as nats-server reads it, except for variables."""
    config = {
        "listen": "0.0.0.0:4222",
        "http": "0.0.0.0:8222",
        "server_name": "permanence",
        **VANISHED,
        "jetstream": jetstream("/data", durable=True),
        "system_account": SYSTEM_ACCOUNT,
        "authorization": authorization("$NATS_ISSUER"),
        "accounts": accounts({user: f"${password_variable(user)}" for user in USERS}),
    }
    text = json.dumps(config, indent=1)
    # A quoted variable would be taken for the password itself.
    return _HEAD + re.sub(r'"\$(NATS_\w+)"', r"$\1", text) + "\n"


def password_variable(user: str) -> str:
    """Return the variable with the password of a user of NATS."""
    return f"NATS_{user.upper()}_PASSWORD"
