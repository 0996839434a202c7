"""Closes NATS connections of sources that would no longer be admitted.

nats-server asks only once, when a client connects. The process that relays lists the
connections of all servers every few seconds, and closes those whose key was revoked or
that the policy now rejects.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import orjson
import structlog
from nats.aio.client import Client
from nats.errors import Error
from pydantic import BaseModel, ConfigDict, ValidationError

from services.intake.gate.api_keys import Keys
from services.intake.nats_sources.rules import why_no_connection
from services.intake.nats_sources.tokens import User
from services.intake.policy.store import InForce
from shared.http.networks import address_of
from shared.http.problem_details import HttpError
from shared.http.rounds import failing_alone
from shared.http.serve import pause
from shared.messaging import subjects
from shared.messaging.connection import Link

REVIEW_SECONDS = 5.0
ANSWER_SECONDS = 2.0
"""How long the servers may take to list their connections."""
QUIET_SECONDS = 0.3
"""How long further servers may take after the first answer."""
CONNECTIONS_MAX = 10_000

_AWAY = (Error, OSError, HttpError)
"""NATS is unavailable, or no policy was applied yet."""
_log = structlog.get_logger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Connection(_Part):
    cid: int
    ip: str = ""
    authorized_user: str = ""


class _Connections(_Part):
    server_id: str
    connections: list[_Connection] = []


class _Listed(_Part):
    data: _Connections


class Review:
    """Reviews the connections of sources periodically."""

    def __init__(
        self, link: Link, keys: Keys, in_force: InForce, leads: Callable[[], bool]
    ) -> None:
        self._link = link
        self._keys = keys
        self._in_force = in_force
        self._leads = leads

    async def run(self, stop: asyncio.Event) -> None:
        """Review until `stop` is set; failures are retried."""
        while not stop.is_set():
            await pause(stop, REVIEW_SECONDS)
            client = self._link.client
            if client is None or not self._leads():
                continue
            with failing_alone(_log, "nats.review.failed"), suppress(*_AWAY):
                await self._review(client)

    async def _review(self, client: Client) -> None:
        for listed in await _listed(client):
            for connection in listed.connections:
                why = await self._why_end(connection)
                if why is None:
                    continue
                _log.warning(
                    "nats.source.disconnected",
                    user=connection.authorized_user,
                    host=connection.ip,
                    why=why,
                )
                # The server ignores a message without a reply subject.
                await client.request(
                    subjects.end_connection(listed.server_id),
                    orjson.dumps({"cid": connection.cid}),
                    ANSWER_SECONDS,
                )

    async def _why_end(self, connection: _Connection) -> str | None:
        user = User.named(connection.authorized_user)
        if user is None:
            return "it is not a source"
        if not await self._keys.holds(user.source, user.key_id):
            return "its key was revoked or changed"
        rule = (await self._in_force.known()).sources.get(user.source)
        return why_no_connection(user.source, rule, address_of(connection.ip))


async def _listed(client: Client) -> list[_Connections]:
    """Return the connections of sources, for each server that answers."""
    inbox = client.new_inbox()
    answers = await client.subscribe(inbox)
    asked = {
        "auth": True,
        "acc": subjects.SOURCES_ACCOUNT,
        "limit": CONNECTIONS_MAX,
    }
    found: list[_Connections] = []
    try:
        await client.publish(subjects.CONNECTIONS, orjson.dumps(asked), reply=inbox)
        wait = ANSWER_SECONDS
        with suppress(TimeoutError):  # then all have answered
            while True:
                message = await answers.next_msg(wait)
                wait = QUIET_SECONDS
                with suppress(ValidationError):  # an error of that server, or of NATS
                    found.append(_Listed.model_validate_json(message.data).data)
    finally:
        await answers.unsubscribe()
    return found
