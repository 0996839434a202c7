"""The FastStream broker that receives commands and signals.

With FastStream's defaults messages are lost and an absent server is given up; these
settings avoid both. Every error of a handler is answered with problem+json: otherwise
the waiting caller would only see a timeout.
"""

import asyncio
import logging
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from faststream import AckPolicy, BaseMiddleware, StreamMessage
from faststream.middlewares import ExceptionMiddleware
from faststream.nats import NatsBroker, NatsResponse
from faststream.nats.prometheus import NatsPrometheusMiddleware
from faststream.nats.security import NatsSecurity, NatsToken, NatsUserPassword
from nats.aio.client import DEFAULT_INBOX_PREFIX
from nats.errors import Error
from orjson import JSONDecodeError
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from shared.http.error_responses import problem_of
from shared.http.problem_details import HttpError, located
from shared.http.serve import end, pause
from shared.messaging import connection, subjects
from shared.messaging.address import NatsAddress, nats_address
from shared.observability.telemetry import Outage

GRACE_SECONDS = 5.0
"""How long handlers in progress may take after the request to stop."""
SHOWN_MAX = 128
PROBLEM = "application/problem+json"
PARAMETER = "request"
"""The parameter name for a handler's command: errors in it are the caller's."""

_log = structlog.get_logger(__name__)


def command_broker(url: str, name: str, registry: CollectorRegistry) -> NatsBroker:
    """Return a broker for the connection `name`; its metrics go to `registry`.

    Start it with `started`, stop it with `stop`: both work even without NATS.
    """
    outage = Outage("nats", "commands and signals wait; trying again")
    address = nats_address(url)

    async def failed(error: Exception) -> None:
        outage.away(error)

    async def connected() -> None:
        outage.back()

    return NatsBroker(
        address.servers,
        security=_security(address),
        name=name,
        inbox_prefix=address.inbox_prefix or DEFAULT_INBOX_PREFIX,
        logger=logging.getLogger("faststream"),
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=GRACE_SECONDS,
        middlewares=[
            NatsPrometheusMiddleware(registry=registry, app_name=name),
            ExceptionMiddleware(publish_handlers={Exception: answer}),
            _AnswersInboxes,
        ],
        error_cb=failed,
        reconnected_cb=connected,
        connect_timeout=connection.CONNECT_SECONDS,
        reconnect_time_wait=connection.RETRY_SECONDS,  # type: ignore[arg-type] # it sleeps so long
        max_reconnect_attempts=-1,
        ping_interval=connection.PING_SECONDS,
        max_outstanding_pings=connection.PINGS_MAX,
        drain_timeout=connection.DRAIN_SECONDS,
    )


class _AnswersInboxes(BaseMiddleware):
    """Refuses commands whose reply subject is not an inbox.

    The sender chooses the reply subject, and the service publishes there with its own
    rights: the answer could pass for a signal of any source, or for an event.
    """

    async def consume_scope(
        self,
        call_next: Callable[[StreamMessage[Any]], Awaitable[Any]],
        msg: StreamMessage[Any],
    ) -> Any:  # noqa: ANN401 # a handler may return anything
        if subjects.is_inbox(msg.reply_to) or not _is_command(msg):
            return await call_next(msg)
        _log.warning("command.dropped", reply_to=msg.reply_to[:SHOWN_MAX])
        msg.reply_to = ""
        return None


def _is_command(message: StreamMessage[Any]) -> bool:
    subject = getattr(message.raw_message, "subject", "")  # no subject: it is a batch
    return str(subject).startswith(subjects.COMMANDS.removesuffix(">"))


def _security(address: NatsAddress) -> NatsSecurity | None:
    if address.token is not None:
        return NatsToken(address.token)
    if address.user is not None and address.password is not None:
        return NatsUserPassword(address.user, address.password)
    return None


async def started(broker: NatsBroker, stop: asyncio.Event) -> bool:
    """Start `broker`, however long NATS takes; False if `stop` was set first."""
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            starting = asyncio.create_task(broker.start())
            await asyncio.wait({starting, stopping}, return_when=FIRST_COMPLETED)
            try:
                await end(starting)
            except Error:  # the server rejected it: logged, and may be corrected
                await pause(stop, connection.RETRY_SECONDS)
            except Exception:  # noqa: BLE001 # a server that answers nonsense may change
                _log.exception("nats.not_started")
                await pause(stop, connection.RETRY_SECONDS)
            else:
                return not stop.is_set()
        return False
    finally:
        stopping.cancel()


async def take(broker: NatsBroker, stopping: asyncio.Event) -> None:
    """Receive messages until `stopping` is set; runs as a task next to others."""
    try:
        if await started(broker, stopping):
            await stopping.wait()
    finally:
        await stop(broker)


async def stop(broker: NatsBroker) -> None:
    """Let handlers in progress finish and disconnect, also while NATS is away."""
    try:
        await broker.stop()
    except Error:  # an absent server cannot be unsubscribed from
        await connection.close(broker.config.connection_state.connection)


async def answer(error: Exception) -> NatsResponse:
    """Return any error as problem+json bytes.

    A coroutine: FastStream runs a plain function in a thread, one for each refusal.
    """
    details = problem_from(error).details
    body = details.model_dump_json(exclude_none=True).encode()
    return NatsResponse(body, headers={"content-type": PROBLEM})


def problem_from(error: Exception) -> HttpError:
    """Return the answer for an error of a command's handler."""
    match error:
        case ValidationError() if _of_the_caller(error):
            return HttpError(
                422,
                "the command is not well formed: see `errors`",
                code="invalid",
                errors=[e | {"loc": e["loc"][1:]} for e in located(error)],
            )
        case JSONDecodeError() | UnicodeDecodeError():
            return HttpError(400, "the command is not JSON in UTF-8", code="not_json")
        case _:
            return problem_of(error, "command")


def _of_the_caller(error: ValidationError) -> bool:
    """Return whether the command was invalid, rather than a value of the service."""
    return all(e["loc"][:1] == (PARAMETER,) for e in error.errors())
