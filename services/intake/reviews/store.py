"""Processes commands on reviews: read, decide, append, answer. Blocks."""

from dataclasses import dataclass
from typing import Any

from services.intake.attempts import (
    append,
    decided,
    journalled,
    recorded_before,
    require_version,
)
from services.intake.policy.store import Policies
from services.intake.reviews import rules
from services.intake.reviews.context import Author
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.database.cursors import Cursors
from shared.domain.commands.review import (
    ChooseFacts,
    PublishReview,
    ReviewAnswer,
    ReviewCommand,
)
from shared.domain.events import is_incident_event
from shared.domain.identifiers import incident_stream, review_stream
from shared.domain.incident import Incident, replay
from shared.domain.refusal import Refused
from shared.domain.review.facts import facts_of
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import read_head
from shared.messaging.commands import CommandRequest
from shared.reviews import history_of, review_of


@dataclass(frozen=True)
class ReviewDesk:
    """Opens, writes and publishes reviews, and follows their actions."""

    log: EventLog
    policies: Policies
    clock: Clock

    def take(self, request: CommandRequest[Any]) -> ReviewAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        note = journalled(request, request.incident or "", self.clock)
        return decided(self.log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(self, cursor: Cursors, request: CommandRequest[Any]) -> ReviewAnswer:
        command: ReviewCommand = request.body
        ref = request.incident or ""
        held, version = review_of(self.log, cursor, ref)
        digest = digest_of(ref, command.aggregate, command.verb, command)
        before = recorded_before(cursor, request.command_id, digest)
        if before is not None:
            return _answer(command, ref, "repeated", version, [*before])
        require_version(request.if_match, version)
        event = rules.decided(command, held, self._author(cursor, request))
        if event is None:
            return _answer(command, ref, "already", version, [])
        stream = review_stream(ref)
        stored = self.log.stored(stream, version + 1, event, request.command_id)
        unit = AppendUnit((stored,), request.command_id, digest)
        positions = append(self.log, cursor, unit)
        action = getattr(event, "action", None)
        return _answer(command, ref, "recorded", version + 1, [*positions], action)

    def _author(self, cursor: Cursors, request: CommandRequest[Any]) -> Author:
        ref = request.incident or ""
        needs_facts = isinstance(request.body, ChooseFacts | PublishReview)
        upto = read_head(cursor).position
        history = history_of(self.log, cursor, ref, upto) if needs_facts else ()
        version, policy = self.policies.current(cursor)
        return Author(
            request.actor,
            self.clock(),
            frozenset(request.scopes),
            policy,
            version,
            self._incident(cursor, ref),
            tuple(fact.position for fact in facts_of(history)),
            upto,
        )

    def _incident(self, cursor: Cursors, ref: str) -> Incident:
        history = self.log.histories(cursor, [incident_stream(ref)])
        incident = replay(e.event for e in history if is_incident_event(e.event))
        if incident is None:
            raise Refused(f"there is no incident {ref}", "unknown_incident")
        return incident


def _answer(
    command: ReviewCommand,
    ref: str,
    outcome: str,
    version: int,
    positions: list[int],
    action: int | None = None,
) -> ReviewAnswer:
    return ReviewAnswer.model_validate(
        {
            "outcome": outcome,
            "incident": ref,
            "action": action or getattr(command, "action", None),
            "version": version,
            "positions": positions,
        }
    )
