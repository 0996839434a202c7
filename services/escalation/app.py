"""Wires the escalation service: follows the log, wakes when due, sends."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
from faststream.nats import NatsBroker
from prometheus_client import CollectorRegistry
from psycopg import Cursor

from services.escalation.commands import asked
from services.escalation.notifications import outbox
from services.escalation.notifications.channels.mail import mail_server
from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.webhook import (
    forgetful_client,
    receiver,
)
from services.escalation.notifications.composer import Composer
from services.escalation.notifications.dispatcher import (
    LEASE,
    Dispatcher,
    NotificationSender,
)
from services.escalation.notifications.probe import OutboxProbe
from services.escalation.process import BOOKMARK, casework
from shared.clock import Clock
from shared.database.leadership import Candidate
from shared.domain.commands.escalation import BODIES
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.position import Apply
from shared.eventlog.readers.service_loop import ServiceLoop, follow
from shared.messaging.broker import command_broker, take
from shared.process_manager import Alarm, Worker, timers_probe
from shared.process_manager.command_subscriber import CommandHandler, listen
from shared.security.sender import authentication
from shared.settings import EscalationSettings

EVENTS_A_BATCH = 200
"""Each entry may lead to several events; one transaction appends those of a batch."""
WORKERS = 2
"""Threads, and database connections, for commands and for sending."""


async def run(settings: EscalationSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set."""
    with ThreadPoolExecutor(WORKERS, "escalation") as executor:
        async with forgetful_client() as client:
            outlets = outlets_of(settings, client)

            def assemble(
                log: EventLog, clock: Clock, registry: CollectorRegistry
            ) -> ServiceLoop:
                broker = command_broker(
                    settings.nats_url.get_secret_value(), "escalation", registry
                )
                return _assembled(settings, outlets, executor, log, clock, broker)

            await follow(settings, BOOKMARK, assemble, stop)


def outlets_of(settings: EscalationSettings, client: httpx.AsyncClient) -> Outlets:
    """Return the channels as configured; a channel without settings stays closed."""
    smtp, sender = settings.smtp_url, settings.mail_from
    hook, secret = settings.webhook_url, settings.webhook_secret
    return Outlets(
        client,
        mail_server(smtp.get_secret_value()) if smtp else None,
        Mailbox(sender, settings.mail_name) if sender else None,
        receiver(hook.get_secret_value(), secret.get_secret_value())
        if hook and secret
        else None,
        settings.mail_plus_addresses,
    )


def _assembled(
    settings: EscalationSettings,
    outlets: Outlets,
    executor: ThreadPoolExecutor,
    log: EventLog,
    clock: Clock,
    broker: NatsBroker,
) -> ServiceLoop:
    policies = PolicyVersions(log)
    work = casework(log, policies, webhook=outlets.receiver is not None)
    worker = Worker(work, log, clock)
    alarm = Alarm(worker, clock, on_lever=settings.clock_lever is not None)
    worker.changed = alarm.listen()
    compose = Composer(log, policies, settings.public_url)
    postman = NotificationSender(log, worker, clock, compose, outlets, executor)
    dsn = settings.database_url.get_secret_value()
    candidate = Candidate(dsn, LEASE, may_write=log.may_write)
    dispatcher = Dispatcher(log, candidate, postman, clock)
    commanding = CommandHandler(log, worker, clock, asked)
    senders = authentication(log, clock, executor)
    group = BOOKMARK.reader
    listen(broker, senders, commanding.take, executor, BODIES.values(), group)

    return ServiceLoop(
        _applying(worker.apply, dispatcher.listen()),
        (
            timers_probe(BOOKMARK.reader, worker, log, clock),
            OutboxProbe(log, dispatcher, postman, clock),
        ),
        (alarm.run, dispatcher.run, partial(take, broker)),
        EVENTS_A_BATCH,
        worker.pass_over,
    )


def _applying(apply: Apply, more: Callable[[], object]) -> Apply:
    """Return what the reader calls with entries; `more` is called for new requests."""

    def both(cursor: Cursor[tuple[Any, ...]], entries: Sequence[Entry]) -> None:
        fresh = outbox.follow(cursor, entries)
        apply(cursor, entries)
        if fresh:
            more()

    return both
