"""The only code that makes or changes what JetStream keeps.

Two streams, a consumer of each, and the bucket of what was last seen.

What we do not set stays as an operator made it, placement and copies among it.

`DESK_EVENTS` may be wiped at any time (readers go on from the log), hence no
`deny_purge`. A signal in `DESK_SIGNALS` waits there until it is in the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
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

EVENTS_AGE_SECONDS = 7 * 86_400
EVENTS_BYTES_MAX = 512 * 1024 * 1024
EVENT_BYTES_MAX = 128 * 1024
"""An event is at most 64 KB; the rest is for its headers."""

SIGNALS_BYTES_MAX = 256 * 1024 * 1024
SIGNALS_MAX = 1_000_000
SIGNAL_BYTES_MAX = 640 * 1024
"""A body is at most 512 KB; the rest is for its headers."""
DUPLICATES_SECONDS = 120
"""How long `Nats-Msg-Id` is remembered."""
SIGNAL_DUPLICATES_SECONDS = 0.1
"""The same for signals, as short as NATS allows: it does not look who sends them, so
one source could have those of another taken for repeats. Intake tells them apart."""

LAST_SEEN_BYTES_MAX = 1024 * 1024
LAST_SEEN_RECORD_BYTES_MAX = 8 * 1024

SIGNAL_ACK_SECONDS = 30
"""A signal whose taker died is given to another one after this."""
SIGNALS_PENDING_MAX = 5_000
FEED_HEARTBEAT_SECONDS = 5.0
DELIVER_FOR_EVER = -1

_TOO_FEW_SERVERS = {10005, 10074}
"""What NATS answers: no suitable peers for placement; no cluster at all."""

_log = structlog.get_logger(__name__)


REPLICAS = (1, 3, 5)
"""What makes sense in a cluster: an even number tolerates no more servers lost."""
REPLICAS_AT_FIRST = 1
"""Copies of a new stream where nobody said how many."""


def replicas_of(written: object) -> int | None:
    """Return a number of replicas; None where it is left out or empty.

    Raises `ValueError` where no stream should be kept so often.
    """
    if written is None or written == "":
        return None
    for replicas in REPLICAS:
        if written in (replicas, str(replicas)):
            return replicas
    raise ValueError(f"streams are kept {', '.join(map(str, REPLICAS))} times")


def events_stream(replicas: int | None) -> StreamConfig:
    """Return how `DESK_EVENTS` is to be; None leaves the replicas as they are."""
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
    """Return how `DESK_SIGNALS` is to be: a full queue refuses, it drops nothing."""
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
        max_msg_size=SIGNAL_BYTES_MAX,
        num_replicas=replicas,
        duplicate_window=SIGNAL_DUPLICATES_SECONDS,
    )


def last_seen_bucket(replicas: int | None) -> StreamConfig:
    """Return how the bucket of what was last seen is to be: one record, on file."""
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
    """Return how the consumer is to be that all intake workers share.

    It says no replicas: the server keeps it as often as its stream.
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
    """Return how the consumer is to be that delivers events to all readers.

    They subscribe to where it delivers, and need no rights of JetStream for that. It
    remembers nothing for any of them: each knows itself which event it needs next.
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
    """NATS does not keep a stream or consumer as we need it; the sentence says why."""


async def provision(js: JetStreamContext, replicas: int | None = None) -> list[str]:
    """Make what is missing, put right what differs; return what was done.

    `replicas` holds for each stream, up and down. None leaves the number that a stream
    has: an operator may have raised it.

    Raises `Refused`, or an error of `nats.errors` where NATS is away.
    """
    done = [
        *await _stream(js, events_stream(replicas)),
        *await _stream(js, signals_stream(replicas)),
        *await _stream(js, last_seen_bucket(replicas)),
        *await _consumer(js, subjects.SIGNALS_STREAM, signals_consumer()),
        *await _consumer(js, subjects.EVENTS_STREAM, readers_consumer()),
    ]
    for what in done:
        _log.info("nats.provisioned", what=what)
    return done


async def provision_last_seen(js: JetStreamContext) -> None:
    """Make the bucket of what was last seen if it is missing; raises as `provision`.

    A new one gets one copy until a relay leads: it puts the number right.
    """
    for what in await _stream(js, last_seen_bucket(None)):
        _log.info("nats.provisioned", what=what)


async def _stream(js: JetStreamContext, wanted: StreamConfig) -> list[str]:
    name = str(wanted.name)
    try:
        held = (await js.stream_info(name)).config
    except NotFoundError:
        replicas = wanted.num_replicas or REPLICAS_AT_FIRST
        config = wanted.evolve(num_replicas=replicas)
        with _kept_so_often(name, wanted):
            made = await js.add_stream(config)
        _demand(wanted, made.config)
        return [f"made stream {name}"]
    differing = _differences(wanted, held)
    if not differing:
        return []
    with _kept_so_often(name, wanted):
        changed = await js.update_stream(held.evolve(**_said(wanted)))
    _demand(wanted, changed.config)
    return [f"changed stream {name}: {', '.join(differing)}"]


@contextmanager
def _kept_so_often(name: str, wanted: StreamConfig) -> Iterator[None]:
    """Say what to do where there are fewer servers than copies were asked for."""
    try:
        yield
    except APIError as error:
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
    """Return the names of the settings that we set and that are not so."""
    said = _said(wanted).items()
    return [name for name, value in said if getattr(held, name, None) != value]


def _said(wanted: Config) -> dict[str, Any]:
    """Return what we set; the rest is left as it is."""
    return {name: value for name, value in vars(wanted).items() if value is not None}
