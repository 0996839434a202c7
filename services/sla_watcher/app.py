"""Wires the SLA watcher: follows the log, wakes when due, answers commands."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.commands import decide_command, owners
from services.sla_watcher.decider import decide, evolve, next_at, react
from services.sla_watcher.extensions.store import require_evidence
from services.sla_watcher.policy_moves.worker import PolicyMove
from services.sla_watcher.subscriptions import CommandTakers, subscribe
from shared.clock import Clock
from shared.commands.parked_events import ParkedDesk, of_one
from shared.commands.subscriber import CommandSubscriber
from shared.domain.identifiers import escalation_stream, incident_stream, sla_stream
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.readers.service_loop import ServiceLoop, follow
from shared.messaging.broker import command_broker, take
from shared.process_manager import Alarm, ProcessManager, Worker, timers_probe
from shared.process_manager.command_subscriber import CommandHandler
from shared.security.sender import authentication
from shared.settings import SlaWatcherSettings

BOOKMARK = Bookmark("sla", "sla_watcher", beside=("incident", "escalation"))
EVENTS_A_BATCH = 200
"""Each entry may lead to several events; one transaction appends those of a batch."""
WORKERS = 2
"""Threads, and database connections, for commands."""


def casework(
    log: EventLog, policies: PolicyOf | None = None
) -> ProcessManager[Case, PolicyOf]:
    """Return the watcher's rules, with the policies of the log as their context."""
    known = policies or PolicyVersions(log)
    return ProcessManager(
        bookmark=BOOKMARK,
        react=react,
        evolve=evolve,
        decide=decide,
        next_at=next_at,
        stream_of=lambda incident, _: sla_stream(incident),
        follows=_follows,
        owns=lambda incident: [sla_stream(incident)],
        known=lambda _cursor, _incidents: known,
        adapter=TypeAdapter(Case),
    )


def _follows(incident: str) -> Sequence[str]:
    return incident_stream(incident), escalation_stream(incident)


async def run(settings: SlaWatcherSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set."""
    with ThreadPoolExecutor(WORKERS, "sla_watcher") as executor:

        def assemble(
            log: EventLog, clock: Clock, registry: CollectorRegistry
        ) -> ServiceLoop:
            policies = PolicyVersions(log)
            worker = Worker(casework(log, policies), log, clock)
            alarm = Alarm(worker, clock)
            worker.changed = alarm.listen()
            nats_url = settings.nats_url.get_secret_value()
            broker = command_broker(nats_url, "sla_watcher", registry)
            commanding = CommandHandler(
                log, worker, clock, decide_command, owners, require_evidence
            )
            senders = authentication(log, clock, executor)
            moving = PolicyMove(log, worker, clock, policies)
            parked = ParkedDesk(log, of_one(BOOKMARK), executor)
            takers = CommandTakers(commanding.take, moving, parked)
            subscriber = CommandSubscriber(broker, senders, BOOKMARK.reader)
            subscribe(subscriber, takers, executor)
            return ServiceLoop(
                worker.apply,
                (timers_probe(BOOKMARK.reader, worker, log, clock),),
                (alarm.run, partial(take, broker)),
                EVENTS_A_BATCH,
                worker.pass_over,
            )

        await follow(settings, BOOKMARK, assemble, stop)
