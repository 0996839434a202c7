"""Observes commits: metrics, log lines, and waking the relay; and intake's probe.

Log lines contain incident, position and command id; never titles or personal text.
"""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

import structlog
from prometheus_client import CollectorRegistry, Counter

from services.intake.commands.pending_command import PendingCommand
from services.intake.inbound_mail.store import Verdict
from services.intake.signals.schemas import TIMER, Delivery, Result, Status
from shared.eventlog.batcher import Batcher
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.write_check import why_unwritable
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, RecordAnswer
from shared.observability.health import Check, Probe

OTHERS = "others"
"""Label for all sources that are not in the policy; their number is unlimited."""
_log = structlog.get_logger(__name__)


class CommitObserver:
    """Observes commits; `wake` is called, from any thread, after appended events."""

    def __init__(self, registry: CollectorRegistry, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._signals = Counter(
            "permanence_signals_total",
            "Elements received, by outcome.",
            ["status"],
            registry=registry,
        )
        # Create all series at the start: a series that begins at one shows no increase.
        for status in get_args(Status):
            self._signals.labels(status)
        self._commands = Counter(
            "permanence_commands_total",
            "Commands of people, by outcome.",
            ["verb", "outcome"],
            registry=registry,
        )

        self._refused = Counter(
            "permanence_refused_total",
            "Requests of sources that were told no, by whose and why.",
            ["source", "why"],
            registry=registry,
        )
        self._deferred = Counter(
            "permanence_deferred_total",
            "Messages above their source's rate, left in the queue for later.",
            ["source"],
            registry=registry,
        )
        self._letters = Counter(
            "permanence_letters_total",
            "Mails and forms of people, by outcome.",
            ["verdict"],
            registry=registry,
        )
        for verdict in (*get_args(Verdict), "repeated"):
            self._letters.labels(verdict)

    def refused(self, source: str | None, why: str) -> None:
        """Count a rejected request; `source` is None if it is not in the policy."""
        self._refused.labels(source or OTHERS, why).inc()

    def deferred(self, source: str | None) -> None:
        """Count a message that has to wait; `source` as in `refused`."""
        self._deferred.labels(source or OTHERS).inc()

    def letter(self, verdict: str) -> None:
        """Count the result for a mail."""
        self._letters.labels(verdict).inc()

    def signals(
        self, _: Sequence[Delivery], answers: Sequence[list[Result] | Exception]
    ) -> None:
        """Count the results of a batch of deliveries; timers are not signals."""
        results = [r for answer in answers if isinstance(answer, list) for r in answer]
        sent = (result for result in results if result.rule != TIMER)
        for status, number in Tally(result.status for result in sent).items():
            self._signals.labels(status).inc(number)
        for result in results:
            if result.position is not None and result.status != "duplicate":
                _log.debug(
                    "signal.recorded",
                    status=result.status,
                    incident=result.incident,
                    position=result.position,
                )
        if any(result.position is not None for result in results):
            self._wake()

    def commands(
        self, wanted: Sequence[PendingCommand], answers: Sequence[Answered | Exception]
    ) -> None:
        """Count and log the results of a batch of commands."""
        for each, answer in zip(wanted, answers, strict=True):
            outcome = _outcome(answer)
            self._commands.labels(each.verb, outcome).inc()
            _log.info(
                "command.answered",
                verb=each.verb,
                outcome=outcome,
                actor=each.request.actor,
                command_id=each.request.command_id and str(each.request.command_id),
                **_place(each, answer),
            )
        if any(isinstance(a, Answered) and a.positions for a in answers):
            self._wake()


def _outcome(answer: Answered | Exception) -> str:
    match answer:
        case CommandAnswer(outcome=outcome) | RecordAnswer(outcome=outcome):
            return outcome
        case HttpError(details=details):
            return details.code or str(details.status)
        case _:
            return "failed"


def _place(wanted: PendingCommand, answer: Answered | Exception) -> dict[str, object]:
    match answer:
        case CommandAnswer(incident=ref) | RecordAnswer(record=ref):
            return {"record": ref, "position": max(answer.positions, default=None)}
        case _:
            return {"record": wanted.request.about}


_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Commits:
    """The outcome of the last commits of this worker."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._fail = False
        self.failed_total = 0
        """Batches that PostgreSQL did not accept; their senders were told to retry."""

    def watched(
        self, flush: Callable[[Sequence[_Item]], Sequence[_Answer]]
    ) -> Callable[[Sequence[_Item]], Sequence[_Answer]]:
        """Return a `flush` that records whether PostgreSQL failed.

        It accepts nothing if the log is not the one that was last seen.
        """

        def flushed(items: Sequence[_Item]) -> Sequence[_Answer]:
            self._log.require_continued()
            try:
                answers = flush(items)
            except Unavailable:
                self._failed()
                raise
            if any(isinstance(answer, Unavailable) for answer in answers):
                self._failed()  # for a part of the batch
            return answers

        return flushed

    def _failed(self) -> None:
        self.failed_total += 1
        self._fail = True

    def why_unwritable(self) -> str | None:
        """Return why PostgreSQL would not take a signal now; blocks. None if it would.

        After a failure it has to take something that needs room.
        """
        room, self._fail = self._fail, False
        why = why_unwritable(self._log, room=room)
        self._fail |= room and why is not None
        return why


def waiting_probe(
    log: EventLog,
    commits: Commits,
    signals: Batcher[Any, Any],
    commands: Batcher[Any, Any],
) -> Probe:
    """Return the probe of intake's own work."""

    async def probe() -> Check:
        numbers = {
            "signals_waiting": float(signals.waiting),
            "commands_waiting": float(commands.waiting),
            "commits_failed_total": float(commits.failed_total),
        }
        try:
            head = await asyncio.to_thread(log.head)
        except Unavailable:
            return _unready("PostgreSQL is away", numbers)
        numbers["log_head"] = float(head.position)
        if (why := await asyncio.to_thread(commits.why_unwritable)) is not None:
            return _unready(why, numbers)
        return Check("intake", "recording", ready=True, numbers=numbers)

    return probe


def _unready(why: str, numbers: dict[str, float]) -> Check:
    return Check("intake", "recording", False, {"why": why}, numbers)
