"""Executes a move: each incident is checked, moved and recorded alone. Blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID, uuid5

from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.policy_moves.rules import differences, moved, require_may_move
from services.sla_watcher.policy_moves.store import first_of, incidents_of, seen
from shared.clock import Clock
from shared.commands.refusals import Refusal, answer_to, digest_of, journal
from shared.domain.commands.policy_moves import (
    LookAtMove,
    MoveCommand,
    MovedIncident,
    MovePromises,
    MoveSeen,
    PreviewMove,
)
from shared.domain.refusal import Refused
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandRequest
from shared.process_manager import Worker
from shared.process_manager.worker import require_read, settle

NAMESPACE = UUID("9a0b2f64-5f0e-4e0c-9b77-0c5d0d6f2f11")
"""Namespace of command ids: an operation and incident always give the same id."""
_PREVIEW = {"operation": "preview", "reason": "a preview"}


@dataclass(frozen=True)
class PolicyMove:
    """Moves promises to another version of the policy, or previews the changes."""

    log: EventLog
    worker: Worker[Case, PolicyOf]
    clock: Clock
    policy_of: PolicyOf

    def begin(self, request: CommandRequest[Any]) -> MoveSeen | Sequence[str]:
        """Return the progress of a move, or the incidents of a page and one more.

        Raises `Problem` on a refusal, and `Unavailable`.
        """
        try:
            return self._begun(request)
        except Refused as no:
            body = request.body
            incident = getattr(body, "incident", None) or ""
            refusal = Refusal(self.clock(), request.actor, body.verb, incident, no)
            with self.log.transaction() as cursor:
                journal(cursor, "sla", refusal)
            raise answer_to(no) from no

    def one(self, request: CommandRequest[Any], name: str) -> MovedIncident | None:
        """Move an incident, or preview that; None if there is nothing to move.

        Raises `EarlierWaits` and `StaleVersion` if it should be tried again in a
        moment, and
        `Unavailable`.
        """
        command: MoveCommand = request.body
        match command:
            case PreviewMove():
                move = MovePromises(**command.model_dump(), **_PREVIEW)
                return self._one(name, move, request.actor, is_preview=True)
            case MovePromises():
                return self._one(name, command, request.actor, is_preview=False)
            case LookAtMove():
                return None
            case _:
                assert_never(command)

    def _begun(self, request: CommandRequest[Any]) -> MoveSeen | Sequence[str]:
        command: MoveCommand = request.body
        if isinstance(command, LookAtMove):
            return self._seen(command.operation)
        if isinstance(command, MovePromises):
            require_may_move(request)
            self._require_same(command)
            self.log.vault.prepare(request.actor)
        self._require_version(command.to)
        with self.log.transaction() as cursor:
            return incidents_of(cursor, command)

    def _one(
        self, name: str, command: MovePromises, actor: str, *, is_preview: bool
    ) -> MovedIncident | None:
        with self.log.transaction() as cursor:
            desk = self.worker.desk(cursor, name)
            work, read = desk.work, dict(desk.versions)
            require_read(cursor, desk, [*work.follows(name), *work.owns(name)])
            at = self.clock()
            desk.reach(at, at)
            before = desk.case
            events = moved(command, before, actor, at) if before else ()
            for event in events:
                desk.record(event)
            desk.reach(at, at)
            if not events or before is None or desk.case is None:
                return None
            promises = differences(before, desk.case)
            positions: Sequence[int] = ()
            if not is_preview:
                made = settle(
                    self.log,
                    cursor,
                    desk,
                    uuid5(NAMESPACE, f"{command.operation}|{name}"),
                    digest_of(command.verb, command.operation, command.to),
                    desk.expected(read),
                )
                positions = range(made.first, made.last + 1)
        if not is_preview:
            self.worker.changed()
        return MovedIncident(
            incident=name,
            was_policy=before.policy,
            promises=promises,
            positions=tuple(positions),
        )

    def _require_version(self, version: int) -> None:
        try:
            self.policy_of(version)
        except LookupError as error:
            raise Refused(
                f"there is no version {version} of the policy: it has the number that "
                "`permanence config apply` said",
                "invalid",
            ) from error

    def _require_same(self, command: MovePromises) -> None:
        with self.log.transaction() as cursor:
            first = first_of(self.log, cursor, command.operation)
        if first is None:
            return
        was = (first.policy, first.contract, first.service)
        if was != (command.to, command.contract, command.service):
            raise Refused(
                f"{command.operation} is a move to version {first.policy} of other "
                "incidents: go on with it as it was begun, or choose another name",
                "invalid",
            )

    def _seen(self, operation: str) -> MoveSeen:
        with self.log.transaction() as cursor:
            found = seen(self.log, cursor, operation)
        if found is None:
            raise Refused(f"nothing was moved by {operation}", "unknown_move")
        return found
