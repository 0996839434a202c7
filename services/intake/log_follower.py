"""What intake does by itself about what was recorded: closes, reminds, links, asks.

It reads the log without NATS, so it depends on neither the relay nor the bus.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.intake.accepted_pages import subscriber as accepted_pages
from services.intake.accepted_pages.store import ACCEPTED_PAGES
from services.intake.auto_close.store import SILENCES
from services.intake.auto_close.subscriber import BOOKMARK, Silences
from services.intake.commands.due_commands import DueCommands
from services.intake.commands.pending_command import PendingCommand
from services.intake.commands.problem_links import ProblemLinks
from services.intake.reminders import subscriber as reminders
from services.intake.reminders.store import REMINDERS
from services.intake.reviews.required_reviews import RequiredReviews
from services.intake.surveys.invitations import SurveyInvitations
from shared.clock import Clock, setting_of
from shared.database.cursors import Cursors
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.batcher import Batcher
from shared.eventlog.entry import Entry
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from shared.eventlog.readers.probe import reader_probe
from shared.eventlog.readers.reader import POLL_SECONDS, Reader
from shared.eventlog.readers.transaction import Apply
from shared.messaging.commands import Answered
from shared.messaging.live_feed import Deliveries
from shared.observability.health import Check, Probe

APPENDED_AT_ONCE = 200
"""Units that are appended at once."""
SETTABLE_POLL_SECONDS = 0.05
"""How often to read the log on a clock that can be set, where a day may be short."""


@dataclass(frozen=True)
class LogFollower:
    """What intake does by itself, following the log: `run`, and a probe of its lag."""

    run: Callable[[asyncio.Event], Coroutine[None, None, None]]
    probe: Probe


def batch_handler(log: EventLog, clock: Clock) -> Apply:
    """Return what the follower of the log does with a batch, in its transaction."""
    silences, links = Silences(log), ProblemLinks(log, clock)
    surveys, reviews = SurveyInvitations(log, clock), RequiredReviews(log, clock)

    def apply(cursor: Cursors, entries: Sequence[Entry]) -> None:
        silences.apply(cursor, entries)
        reminders.apply(cursor, entries)
        accepted_pages.apply(cursor, entries)
        # All read before any appends, since an append locks the end of the log.
        deciders = (links, surveys, reviews)
        decided = [unit for each in deciders for unit in each.decided(cursor, entries)]
        _append(log, cursor, decided)

    return apply


def _append(log: EventLog, cursor: Cursors, units: Sequence[AppendUnit]) -> None:
    """Append what was decided about a batch, after all reads.

    Raises `StaleVersion` if another process wrote to one of the streams in between:
    then the batch is applied again.
    """
    for start in range(0, len(units), APPENDED_AT_ONCE):
        outcomes = log.append(cursor, units[start : start + APPENDED_AT_ONCE])
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise StaleVersion("another process wrote to the same stream")


def log_follower(
    log: EventLog,
    clock: Clock,
    commands: Batcher[PendingCommand, Answered],
) -> LogFollower:
    """Return the worker that acts on the log: closes, reminds, links and asks users.

    It reads the log without NATS, so it depends on neither. Its probe is always ready:
    signals and commands are taken even if it is behind.
    """
    poll = POLL_SECONDS if setting_of(clock) is None else SETTABLE_POLL_SECONDS
    reader = Reader(
        log, BOOKMARK, batch_handler(log, clock), Deliveries(None), poll=poll
    )
    workers = [
        DueCommands[Any](table, log, clock, commands)
        for table in (SILENCES, REMINDERS, ACCEPTED_PAGES)
    ]
    lag = reader_probe(reader.status, log, clock)

    async def run(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(reader.run(stop))
            for worker in workers:
                group.create_task(worker.run(stop))

    async def probe() -> Check:
        return replace(await lag(), ready=True)

    return LogFollower(run, probe)
