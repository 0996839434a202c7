"""Notes what was committed: a metric, a log line, a nudge to the relay.

Log lines name incident, position and command id; never a title or anybody's words.
"""

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from typing import get_args

import structlog
from prometheus_client import CollectorRegistry, Counter

from services.intake.delivery import TIMER, Delivery, Result, Status
from services.intake.letters.rows import Verdict
from services.intake.wanted import Wanted
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, RecordAnswer

OTHERS = "others"
"""All sources the policy does not name: there may be any number of them."""
_log = structlog.get_logger(__name__)


class Noting:
    """`wake` is called, from any thread, after a commit that appended events."""

    def __init__(self, registry: CollectorRegistry, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._signals = Counter(
            "permanence_signals_total",
            "Elements received, by outcome.",
            ["status"],
            registry=registry,
        )
        # From the first scrape on: what jumps from nothing to one has no increase.
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
        """Note a request that was told no; `source` None: the policy names it not."""
        self._refused.labels(source or OTHERS, why).inc()

    def deferred(self, source: str | None) -> None:
        """Note a message that has to wait; `source` as in `refused`."""
        self._deferred.labels(source or OTHERS).inc()

    def letter(self, verdict: str) -> None:
        """Note the outcome of a letter."""
        self._letters.labels(verdict).inc()

    def signals(
        self, _: Sequence[Delivery], answers: Sequence[list[Result] | Exception]
    ) -> None:
        """Note the outcome of a batch of deliveries; timers are nobody's signals."""
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
        self, wanted: Sequence[Wanted], answers: Sequence[Answered | Exception]
    ) -> None:
        """Note the outcome of a batch of commands."""
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


def _place(wanted: Wanted, answer: Answered | Exception) -> dict[str, object]:
    match answer:
        case CommandAnswer(incident=ref) | RecordAnswer(record=ref):
            return {"record": ref, "position": max(answer.positions, default=None)}
        case _:
            return {"record": wanted.request.about}
