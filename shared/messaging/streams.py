"""Creates and updates the desk's streams, consumers and bucket in JetStream.

There are two streams with one consumer each, and the bucket of the last seen head. Only
this code changes them. Settings that it does not set remain as an operator made them,
such as placement and replicas.

`DESK_EVENTS` may be wiped at any time (readers continue from the log), hence no
`deny_purge`. A signal in `DESK_SIGNALS` waits there until it is in the log, and the
bucket tells that the log was restored: neither may be wiped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from shared.messaging import subjects
from shared.messaging.payload import refusal_of

EVENTS_AGE_SECONDS = 7 * 86_400
EVENTS_BYTES_MAX = 512 * 1024 * 1024
EVENT_BYTES_MAX = 128 * 1024
"""An event is at most 64 KB; the rest is for its headers."""

SIGNALS_BYTES_MAX = 1024 * 1024 * 1024
SIGNALS_MAX = 1_000_000
SIGNAL_BYTES_MAX = 640 * 1024
"""A body is at most 512 KB; the rest is for its headers."""
SIGNALS_OF_SOURCE_MAX = 1_000
"""Messages of one source that may wait.

NATS counts no bytes by subject: so many of the largest leave room for other sources.
"""
_SHUT = 1
"""As many messages as the queue may hold while it is counted: it takes no more."""
DUPLICATES_SECONDS = 120
"""The deduplication window for `Nats-Msg-Id`."""
SIGNAL_DUPLICATES_SECONDS = 0.1
"""The same for signals, as short as NATS allows: NATS ignores the sender, so one source
could make signals of another look like repeats. Intake does the deduplication."""

LAST_SEEN_BYTES_MAX = 1024 * 1024
LAST_SEEN_RECORD_BYTES_MAX = 8 * 1024

SIGNAL_ACK_SECONDS = 30
"""A signal whose worker died is redelivered to another one after this time."""
SIGNALS_PENDING_MAX = 5_000
FEED_HEARTBEAT_SECONDS = 5.0
DELIVER_FOR_EVER = -1

_TOO_FEW_SERVERS = {10005, 10074}
"""Error codes of NATS: no suitable peers for placement; no cluster."""
_TOO_LITTLE_ROOM = {10002, 10023, 10047, 10122}
"""Error codes of NATS: too few resources or storage, of an account or the server; a
stream that is larger than the account's limit."""

_log = structlog.get_logger(__name__)


REPLICAS = (1, 3, 5)
"""The useful numbers: an even number does not tolerate more lost servers."""
REPLICAS_AT_FIRST = 1
"""The number of replicas of a new stream by default."""


def replicas_of(written: object) -> int | None:
    """Return a number of replicas; None if it is missing or empty.

    Raises `ValueError` for other numbers than `REPLICAS`.
    """
    if written is None or written == "":
        return None
    for replicas in REPLICAS:
        if written in (replicas, str(replicas)):
            return replicas
    raise ValueError(f"streams are kept {', '.join(map(str, REPLICAS))} times")


def events_stream(replicas: int | None) -> StreamConfig:
    """Return the configuration of `DESK_EVENTS`; None does not change the replicas."""
    return StreamConfig(
        name=subjects.EVENTS_STREAM,
        description="Every event of the log as it is recorded; the log is the truth.",
        subjects=[subjects.EVENTS],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=EVENTS_AGE_SECONDS,
        max_bytes=EVENTS_BYTES_MAX,
        max_msg_size=EVENT_BYTES_MAX,
        num_replicas=replicas,
        duplicate_window=DUPLICATES_SECONDS,
        allow_atomic=True,
        allow_direct=True,
        deny_delete=True,
    )


def signals_stream(replicas: int | None) -> StreamConfig:
    """Return the configuration of `DESK_SIGNALS`: if full, it refuses new messages.

    A source has one subject, so NATS refuses those of one that has filled its share.
    """
    return StreamConfig(
        name=subjects.SIGNALS_STREAM,
        description="Signals that wait to be taken in.",
        subjects=[subjects.SIGNALS],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=0,
        max_bytes=SIGNALS_BYTES_MAX,
        max_msgs=SIGNALS_MAX,
        max_msgs_per_subject=SIGNALS_OF_SOURCE_MAX,
        discard_new_per_subject=True,
        max_msg_size=SIGNAL_BYTES_MAX,
        num_replicas=replicas,
        duplicate_window=SIGNAL_DUPLICATES_SECONDS,
    )


def last_seen_bucket(replicas: int | None) -> StreamConfig:
    """Return the configuration of the bucket for the last seen head: one record."""
    return StreamConfig(
        name=subjects.LAST_SEEN_STREAM,
        description="The head of the log as last seen: tells a restore of an old copy.",
        subjects=[f"$KV.{subjects.LAST_SEEN_BUCKET}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=1,
        max_bytes=LAST_SEEN_BYTES_MAX,
        max_msg_size=LAST_SEEN_RECORD_BYTES_MAX,
        num_replicas=replicas,
        duplicate_window=DUPLICATES_SECONDS,
        allow_rollup_hdrs=True,
        allow_direct=True,
        deny_delete=True,
    )


def signals_consumer() -> ConsumerConfig:
    """Return the configuration of the consumer that all intake workers share.

    Without a number of replicas: the server uses that of the stream.
    """
    return ConsumerConfig(
        durable_name=subjects.SIGNALS_CONSUMER,
        description="All intake workers.",
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=SIGNAL_ACK_SECONDS,
        max_ack_pending=SIGNALS_PENDING_MAX,
        max_deliver=DELIVER_FOR_EVER,
        filter_subject=subjects.SIGNALS,
    )


def readers_consumer() -> ConsumerConfig:
    """Return the configuration of the consumer that delivers events to all readers.

    They subscribe to its delivery subject, which needs no rights on JetStream. It has
    no state for them: each reader knows itself which event it needs next.
    """
    return ConsumerConfig(
        durable_name=subjects.READERS_CONSUMER,
        description="All readers of the log.",
        deliver_subject=subjects.FEED,
        deliver_policy=DeliverPolicy.NEW,
        ack_policy=AckPolicy.NONE,
        max_deliver=1,
        flow_control=True,
        idle_heartbeat=FEED_HEARTBEAT_SECONDS,
    )


class Refused(Exception):
    """NATS refused the configuration of a stream or consumer; the sentence says why."""


def demand_payload(client: Client) -> None:
    """Raise `Refused` if the server takes no messages as large as those of the desk."""
    if (why := refusal_of(client.max_payload)) is not None:
        raise Refused(why)


async def provision(js: JetStreamContext, replicas: int | None = None) -> list[str]:
    """Create what is missing, update what differs; return what was done or has to wait.

    `replicas` is set on each stream, up or down. None leaves the current number, which
    an operator may have raised.

    Raises `Refused`, or an error of `nats.errors` if NATS is unavailable.
    """
    return [
        *await _stream(js, events_stream(replicas)),
        *await _queue(js, signals_stream(replicas)),
        *await _stream(js, last_seen_bucket(replicas)),
        *await _consumer(js, subjects.SIGNALS_STREAM, signals_consumer()),
        *await _consumer(js, subjects.EVENTS_STREAM, readers_consumer()),
    ]


async def provision_last_seen(js: JetStreamContext) -> None:
    """Create the bucket for the last seen head if missing; raises like `provision`.

    A new one has one replica until a relay is elected, which corrects the number.
    """
    for what in await _stream(js, last_seen_bucket(None)):
        _log.info("nats.provisioned", what=what)


async def _queue(js: JetStreamContext, wanted: StreamConfig) -> list[str]:
    """Do as `_stream` for the queue of signals, and delete none that nobody took.

    One for whose present size NATS has no room keeps that of the earlier version.
    """
    held = await _held(js, subjects.SIGNALS_STREAM)
    if held is None:
        return await _stream(js, wanted)
    try:
        return await _limited(js, held, wanted)
    except Refused as refusal:
        if (held.max_bytes or 0) >= (wanted.max_bytes or 0):
            raise
        why = str(refusal)
    done = await _limited(js, held, wanted.evolve(max_bytes=held.max_bytes))
    return [*done, f"left {wanted.name} with {held.max_bytes} bytes: {why}"]


async def _limited(
    js: JetStreamContext, held: StreamConfig, wanted: StreamConfig
) -> list[str]:
    """Limit the messages of each source once that deletes none.

    NATS deletes what is above a new limit for each subject. So the limit waits while a
    source has more in the queue, and the queue takes nothing while that is counted. One
    that is shut already is not opened: another process may be counting.
    """
    name, limit = str(wanted.name), wanted.max_msgs_per_subject
    if 0 < held.max_msgs_per_subject <= limit:
        return await _stream(js, wanted)
    unlimited = wanted.evolve(
        max_msgs_per_subject=held.max_msgs_per_subject,
        discard_new_per_subject=held.discard_new_per_subject,
    )
    done: list[str] = []
    if held.max_msgs != _SHUT:
        done = await _stream(js, unlimited)
    if fits := await _waiting_of_source(js) <= limit:
        shut = (await js.stream_info(name)).config.evolve(max_msgs=_SHUT)
        await js.update_stream(shut)
        fits = await _waiting_of_source(js) <= limit
    done += await _stream(js, wanted if fits else unlimited)
    if fits:
        return done
    return [*done, f"left {name} without its limit: a source has over {limit} in it"]


async def _held(js: JetStreamContext, name: str) -> StreamConfig | None:
    try:
        return (await js.stream_info(name)).config
    except NotFoundError:
        return None


async def _waiting_of_source(js: JetStreamContext) -> int:
    """Return the most that wait on one subject; all, if NATS does not list them all."""
    told = await js.stream_info(subjects.SIGNALS_STREAM, subjects.SIGNALS)
    by_subject = told.state.subjects or {}
    if sum(by_subject.values()) < told.state.messages:
        return told.state.messages
    return max(by_subject.values(), default=0)


async def _stream(js: JetStreamContext, wanted: StreamConfig) -> list[str]:
    name = str(wanted.name)
    if (held := await _held(js, name)) is None:
        replicas = wanted.num_replicas or REPLICAS_AT_FIRST
        config = wanted.evolve(num_replicas=replicas)
        try:
            with _explained(name, wanted):
                made = await js.add_stream(config)
        except Refused:
            # NATS has no room for a second one, where another process made it now.
            if (held := await _held(js, name)) is None:
                raise
        else:
            _demand(wanted, made.config)
            return [f"made stream {name}"]
    differing = _differences(wanted, held)
    if not differing:
        return []
    with _explained(name, wanted):
        changed = await js.update_stream(held.evolve(**_said(wanted)))
    _demand(wanted, changed.config)
    return [f"changed stream {name}: {', '.join(differing)}"]


@contextmanager
def _explained(name: str, wanted: StreamConfig) -> Iterator[None]:
    """Explain what to do if there are too few servers, or they have too little room."""
    try:
        yield
    except APIError as error:
        if error.err_code in _TOO_LITTLE_ROOM:
            raise Refused(
                f"NATS has no room for {name}, which needs {wanted.max_bytes} bytes "
                f"({error.description}): set max_file_store of its jetstream to 2GB"
            ) from error
        if error.err_code not in _TOO_FEW_SERVERS:
            raise
        raise Refused(
            f"NATS cannot keep {wanted.num_replicas} copies of {name} "
            f"({error.description}): start that many servers as one cluster, or leave "
            "PERMANENCE_NATS_REPLICAS (--replicas) out"
        ) from error


async def _consumer(
    js: JetStreamContext, stream: str, wanted: ConsumerConfig
) -> list[str]:
    name = str(wanted.durable_name)
    try:
        held = (await js.consumer_info(stream, name)).config
    except NotFoundError:
        _demand(wanted, (await js.add_consumer(stream, wanted)).config)
        return [f"made consumer {name}"]
    differing = _differences(wanted, held)
    if not differing:
        return []
    changed = await js.add_consumer(stream, held.evolve(**_said(wanted)))
    _demand(wanted, changed.config)
    return [f"changed consumer {name}: {', '.join(differing)}"]


Config = StreamConfig | ConsumerConfig


def _demand(wanted: Config, held: Config | None) -> None:
    differing = _differences(wanted, held)
    if differing:
        raise Refused(
            f"NATS did not take {', '.join(differing)}: nats-server 2.12 or newer is "
            "needed"
        )


def _differences(wanted: Config, held: Config | None) -> list[str]:
    """Return the names of the settings that differ from the wanted ones."""
    said = _said(wanted).items()
    return [name for name, value in said if getattr(held, name, None) != value]


def _said(wanted: Config) -> dict[str, Any]:
    """Return the settings that are set; all others remain unchanged."""
    return {name: value for name, value in vars(wanted).items() if value is not None}
