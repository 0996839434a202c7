"""Signals over NATS: a work queue, whose messages are acknowledged after commit.

Nobody waits for an answer here, so nothing is rejected: a message that is not a signal
is quarantined, and one that cannot be recorded now stays in the queue.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, NamedTuple

import structlog
from faststream import AckPolicy, Context
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsBatchMessage
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from nats.aio.msg import Msg
from nats.errors import Error
from nats.errors import TimeoutError as NothingCame
from nats.js import JetStreamContext
from nats.js.api import INBOX_PREFIX
from nats.js.errors import NotFoundError

from services.intake.nats_sources.rules import Sender, WhyNot
from services.intake.signals.body import elements, read_json
from services.intake.signals.formats.clouds.cloudevents import (
    CONTENT_TYPE,
    attributes_in,
    is_envelope,
)
from services.intake.signals.formats.elements.fields import one_line
from services.intake.signals.reception import (
    NOBODY,
    REFUSED_SENDER,
    UNREADABLE,
    Reception,
    cloud_body,
    cloud_document,
)
from shared.domain.events.event import is_source
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from shared.http.error_responses import problem_of
from shared.http.problem_details import HttpError
from shared.http.serve import pause
from shared.messaging import subjects

Wait = Callable[[str], float]
"""Returns in how many seconds a message of a source may be taken; 0 means now."""
Fetch = Callable[..., Awaitable[list[Msg]]]
"""The fetch of a subscription: returns up to `batch` messages within `timeout`."""
BATCH = 500
GATHER_SECONDS = 0.05
"""How long messages are gathered for a batch."""
FETCH_SECONDS_MIN = 0.001
"""NATS takes no request that expires sooner."""
IDLE_SECONDS = 1.0
"""How long one request to NATS waits for a message."""
AGAIN_SECONDS = 1.0
"""When a message that could not be recorded is delivered again."""
TRIES_MAX = 5
"""How often a message may fail for an internal error before it is quarantined."""
WATCH_SECONDS = 2.0
"""How often to check that the consumer still exists; the library does not."""

SOURCE_SHOWN = 128

_LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""Temporary errors, after which a message is redelivered without a limit."""
_PREFIX = subjects.SIGNALS.removesuffix(">")
_SHARED = f"{subjects.SHARED_USER}."
_MESSAGE_ID = "Nats-Msg-Id"
_log = structlog.get_logger(__name__)

Batch = Annotated[NatsBatchMessage, Context("message")]


def listen_for_signals(
    broker: NatsBroker,
    reception: Reception,
    why_not: WhyNot,
    wait: Wait = lambda _: 0.0,
    inbox_prefix: str | None = None,
) -> BatchPullStreamSubscriber:
    """Subscribe to the work queue; pass the result to `keep_listening`.

    A message that has to `wait` is returned to the queue unread. For these
    subscriptions the library does not take the inbox prefix from the broker.
    """

    async def take(batch: Batch) -> None:
        await asyncio.gather(
            *(_paced(reception, m, why_not, wait) for m in batch.raw_message)
        )

    subscriber = broker.subscriber(
        subjects.SIGNALS,
        durable=subjects.SIGNALS_CONSUMER,
        stream=JStream(subjects.SIGNALS_STREAM, declare=False),
        pull_sub=PullSub(batch_size=BATCH, timeout=GATHER_SECONDS, batch=True),
        ack_policy=AckPolicy.MANUAL,
        inbox_prefix=f"{inbox_prefix}.".encode() if inbox_prefix else INBOX_PREFIX,
        decoder=_as_it_is,
        title="signals",
        description="Events of monitoring sources: one, or an array of them, "
        "or a CloudEvent in either mode.",
    )
    subscriber(take)
    return subscriber


async def keep_listening(
    subscriber: BatchPullStreamSubscriber, stop: asyncio.Event
) -> None:
    """Start `subscriber` once its consumer exists, and restart it when needed."""
    while not stop.is_set():
        try:
            await subscriber.start()
            subscription = subscriber.subscription
            if subscription is None:
                raise Error("not subscribed")  # noqa: TRY301 # handled below
            _wait_for_the_first(subscription)
            while not stop.is_set():
                await pause(stop, WATCH_SECONDS)
                await subscription.consumer_info()
        except NotFoundError:
            _log.info("signals.wait", why="the relay has not provisioned JetStream yet")
            await pause(stop, WATCH_SECONDS)
        except Exception as error:  # noqa: BLE001 # try again later
            _log.warning("signals.interrupted", error=type(error).__name__)
            await pause(stop, WATCH_SECONDS)
        finally:
            await subscriber.stop()


def _wait_for_the_first(subscription: JetStreamContext.PullSubscription) -> None:
    """Make a fetch wait for its first message long, and gather others only shortly.

    FastStream fetches again and again for as long as messages are gathered: an idle
    desk would ask NATS twenty times a second. Call this right after the start, before
    any fetch has begun.
    """
    subscription.fetch = gathering(subscription.fetch)  # type: ignore[method-assign,assignment]


def gathering(fetch: Fetch) -> Callable[[int, float], Awaitable[list[Msg]]]:
    """Return what FastStream calls instead of `fetch`.

    It returns before `timeout` only with a full batch: else FastStream would call it
    again, and messages would wait for the next one. nats-py sometimes raises a plain
    `TimeoutError`, which would end FastStream's task with a traceback.
    """

    async def gather(batch: int, timeout: float) -> list[Msg]:  # noqa: ASYNC109 # as the library calls it
        deadline = time.monotonic() + timeout
        try:
            found = await fetch(batch=1, timeout=IDLE_SECONDS)
        except TimeoutError as error:
            raise NothingCame from error
        while len(found) < batch and (left := deadline - time.monotonic()) > 0:
            if left < FETCH_SECONDS_MIN:
                await asyncio.sleep(FETCH_SECONDS_MIN)
                continue
            try:
                found += await fetch(batch=batch - len(found), timeout=left)
            except TimeoutError:
                continue
            except Exception:  # noqa: BLE001 # what is there is taken; the next call fails
                break
        return found

    return gather


async def _as_it_is(message: NatsBatchMessage) -> list[bytes]:
    # The library's decoder fails a whole batch if one message is not JSON.
    return [m.data for m in message.raw_message]


def _sender_of(message: Msg) -> Sender:
    named = message.subject.removeprefix(_PREFIX)
    source = named.removeprefix(_SHARED)
    return Sender(source, shared_user=source != named)


class _Checked(NamedTuple):
    """A message whose sender was looked at."""

    message: Msg
    source: str
    why_not: str | None
    """Why it is quarantined, if it is."""
    adapter: str
    """The adapter in quarantine."""
    payer: str
    """Whose rate it counts for: a source pays for nothing that is refused of others."""


async def _checked(message: Msg, why_not: WhyNot) -> _Checked:
    sender = _sender_of(message)
    source = sender.source
    if not is_source(source):
        why = f"`{one_line(source, SOURCE_SHOWN)}` is not the name of a source"
        return _Checked(message, NOBODY, why, UNREADABLE, subjects.SHARED_USER)
    refusal = await why_not(sender)
    is_own = refusal is None or not sender.shared_user
    payer = source if is_own else subjects.SHARED_USER
    return _Checked(message, source, refusal, REFUSED_SENDER, payer)


async def _paced(
    reception: Reception, message: Msg, why_not: WhyNot, wait: Wait
) -> None:
    try:
        checked = await _checked(message, why_not)
        seconds = wait(checked.payer)
        if not seconds:
            await _received(reception, checked)
    except Exception as error:  # noqa: BLE001 # it stays in the queue
        await _again(reception, message, problem_of(error, message.subject))
    else:
        await (message.nak(delay=seconds) if seconds else message.ack())


async def _again(reception: Reception, message: Msg, problem: HttpError) -> None:
    """Return a message to the queue; quarantine it after repeated failures.

    Only this message failed; the rest of its batch is recorded. It is quarantined under
    its source, so that it can be retried.
    """
    why = problem.details.detail
    tries = message.metadata.num_delivered
    if problem.details.status not in _LATER and tries >= TRIES_MAX:
        try:
            await _set_aside(reception, message, why)
        except Exception as error:  # noqa: BLE001 # it stays in the queue
            why = problem_of(error, message.subject).details.detail
        else:
            await message.ack()
            return
    _log.warning("signal.again", subject=message.subject, why=why, tries=tries)
    await message.nak(delay=AGAIN_SECONDS)


async def _set_aside(reception: Reception, message: Msg, why: str) -> None:
    source = _sender_of(message).source
    try:
        await reception.set_aside(source, message.data, why)
    except (Unavailable, Overloaded):
        raise
    except Exception:  # noqa: BLE001 # then without a source's key
        await reception.set_aside(NOBODY, message.data, why)


async def _received(reception: Reception, checked: _Checked) -> None:
    message, source, why, adapter, payer = checked
    body, event_id = message.data, (message.headers or {}).get(_MESSAGE_ID)
    if why is not None:
        await reception.set_aside(source, body, why, adapter, payer)
        return
    if (name := _name_of_odd_header(message)) is not None:
        reason = f"the header `{name}` holds the character U+0000: remove it"
        await reception.set_aside(source, body, reason)
        return
    headers = {n.lower(): value for n, value in (message.headers or {}).items()}
    adapter = "cloudevents" if _is_cloudevent(headers) else "native"
    try:
        document, body = _document(adapter, body, headers)
    except HttpError as problem:
        await reception.set_aside(source, body, problem.details.detail)
    else:
        await reception.receive(
            source, adapter, body, document, event_id, headers=headers
        )


def _name_of_odd_header(message: Msg) -> str | None:
    """Return the name of a header that PostgreSQL cannot store (impossible in HTTP)."""
    for name, value in (message.headers or {}).items():
        if "\0" in name + value:
            return one_line(name, SOURCE_SHOWN)
    return None


def _document(
    adapter: str, body: bytes, headers: Mapping[str, str]
) -> tuple[object, bytes]:
    """Return the document for the adapter, and the body to store."""
    if adapter == "cloudevents":
        document = cloud_document(body, headers)
        return document, cloud_body(body, document, headers)
    document = read_json(body)
    elements(document)
    return document, body


def _is_cloudevent(headers: Mapping[str, str]) -> bool:
    kind = headers.get(CONTENT_TYPE, "")
    return is_envelope(kind) or bool(attributes_in(headers))
