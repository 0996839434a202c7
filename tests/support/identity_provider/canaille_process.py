"""Runs Canaille, a real OpenID Connect provider, with its users in memory.

Run it as a module with three words: the port, the address of the desk that signs in
there, and the signing key in JSON.
"""

import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend

HOST = "127.0.0.1"
PASSWORD = "correct horse battery staple"  # of a test
CLIENT, SECRET = "desk", "secret-of-the-desk"
PEOPLE = {"nadia": ("desk", "n2"), "stranger": ("desk",), "idle": ()}
"""The users, and the groups of each."""


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def _config(port: str, key: dict[str, str]) -> dict[str, object]:
    return {
        "SECRET_KEY": "of a test",
        "SERVER_NAME": f"{HOST}:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "memory", "LOGGING": {"version": 1}},
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
    }


def _fill(desk: str) -> None:
    people = {
        name: models.User(
            user_name=name,
            formatted_name=name.title(),
            family_name=name.title(),
            display_name=name,
            emails=[f"{name}@desk.example"],
            password=PASSWORD,
        )
        for name in PEOPLE
    }
    for user in people.values():
        Backend.instance.save(user)
    for group in sorted({group for held in PEOPLE.values() for group in held}):
        members = [people[name] for name, held in PEOPLE.items() if group in held]
        Backend.instance.save(models.Group(display_name=group, members=members))
    client = models.Client(
        client_id=CLIENT,
        client_secret=SECRET,
        client_name="Desk",
        client_uri=desk,
        redirect_uris=[f"{desk}/sign-in/provider/back"],
        post_logout_redirect_uris=[f"{desk}/"],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",  # a method
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)


def main() -> None:
    """Serve until the process ends."""
    port, desk, key = sys.argv[1:]
    app = create_app(config=_config(port, json.loads(key)))
    with app.app_context():
        _fill(desk)
    make_server(HOST, int(port), app, handler_class=Quiet).serve_forever()


if __name__ == "__main__":
    main()
