"""The auth callout for NATS: authenticates sources and returns their permissions.

https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout
"""

import structlog
from faststream.nats import NatsBroker
from faststream.nats.message import NatsMessage
from pydantic import ValidationError

from services.intake.gate.api_keys import Keys, key_id_of, source_of
from services.intake.nats_sources.rules import (
    Sender,
    WhyNot,
    why_no_connection,
    why_not_accepted,
)
from services.intake.nats_sources.tokens import (
    Admitted,
    Connection,
    Denied,
    User,
    answer_to,
    connection_of,
)
from services.intake.policy.store import InForce
from shared.clock import Clock
from shared.http.error_responses import problem_of
from shared.http.form_limits import owner_network
from shared.http.networks import address_of
from shared.messaging import subjects
from shared.security.nats_issuer import Issuer

AT_ONCE_MAX = 16

_log = structlog.get_logger(__name__)


class Authorization:
    """Decides which clients, unknown to the server itself, may connect."""

    def __init__(
        self, keys: Keys, in_force: InForce, issuer: Issuer, clock: Clock
    ) -> None:
        self._keys = keys
        self._in_force = in_force
        self._issuer = issuer
        self._clock = clock

    async def answer(self, request: bytes) -> bytes:
        """Return the answer to a server's request; empty if it is not a request."""
        try:
            connection = connection_of(request)
        except (ValueError, ValidationError):
            _log.warning("nats.authorization.unreadable", bytes=len(request))
            return b""
        verdict = await self._verdict(connection)
        host = connection.client_info.host
        if isinstance(verdict, Denied):
            _log.warning("nats.source.denied", host=host, why=verdict.why)
        else:
            _log.info("nats.source.admitted", user=verdict.user.name, host=host)
        return answer_to(connection, verdict, self._issuer, self._clock())

    async def _verdict(self, connection: Connection) -> Admitted | Denied:
        address = address_of(connection.client_info.host)
        home = "" if address is None else owner_network(address)
        try:
            caller = await self._keys.caller(connection.key, lambda: home)
            source = source_of(caller)
            policy = await self._in_force.known()
        except Exception as error:  # noqa: BLE001 # the client waits for an answer
            problem = problem_of(error, subjects.AUTHORIZATION)
            return Denied(problem.details.detail)
        named = connection.connect_opts.user
        if named and named != source:
            return Denied(f"the key is that of {source}: connect under this name")
        why = why_no_connection(source, policy.sources.get(source), address)
        if why is not None:
            return Denied(why)
        user = User(source, key_id_of(caller, connection.key))
        return Admitted(user, caller.expires_at)


def accepting(keys: Keys, in_force: InForce) -> WhyNot:
    """Return a function that says why a sender's signals are not accepted."""

    async def why_not(sender: Sender) -> str | None:
        # A client connected as a source has a key of it, perhaps a new one.
        known = await keys.knows(sender.source, now=not sender.shared_user)
        return why_not_accepted(sender, await in_force.known(), known=known)

    return why_not


def listen_for_connections(
    broker: NatsBroker, queue_group: str, authorization: Authorization
) -> None:
    """Answer the server whenever a client that it does not know connects."""

    async def take(request: bytes) -> bytes:
        return await authorization.answer(request)

    broker.subscriber(
        subjects.AUTHORIZATION,
        queue=queue_group,
        max_workers=AT_ONCE_MAX,
        decoder=_as_it_is,
    )(take)


async def _as_it_is(message: NatsMessage) -> bytes:
    return message.body
