"""Executes a move: each incident is checked, moved and recorded alone. Blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, assert_never
from uuid import UUID, uuid5

import orjson

from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.policy_moves.rules import differences, moved, require_may_move
from services.sla_watcher.policy_moves.store import first_of, incidents_of, seen
from shared.clock import Clock
from shared.domain.commands.policy_moves import (
    LookAtMove,
    MovedIncident,
    MovePromises,
    MoveSeen,
    MoveWish,
    PreviewMove,
)
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandRequest
from shared.process_manager import Worker
from shared.process_manager.refusals import Refused, journal
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
            wish = request.body
            about = getattr(wish, "incident", None) or ""
            with self.log.transaction() as cursor:
                by, verb = request.actor, wish.verb
                journal(cursor, "sla", self.clock(), by, verb, about, no)
            raise no.problem from no

    def one(self, request: CommandRequest[Any], name: str) -> MovedIncident | None:
        """Move an incident, or preview that; None if there is nothing to move.

        Raises `EarlierWaits` and `StaleVersion` if it should be tried again in a
        moment, and
        `Unavailable`.
        """
        wish: MoveWish = request.body
        match wish:
            case PreviewMove():
                asked = MovePromises(**wish.model_dump(), **_PREVIEW)
                return self._one(name, asked, request.actor, is_preview=True)
            case MovePromises():
                return self._one(name, wish, request.actor, is_preview=False)
            case LookAtMove():
                return None
            case _:
                assert_never(wish)

    def _begun(self, request: CommandRequest[Any]) -> MoveSeen | Sequence[str]:
        wish: MoveWish = request.body
        if isinstance(wish, LookAtMove):
            return self._seen(wish.operation)
        if isinstance(wish, MovePromises):
            require_may_move(request)
            self._require_same(wish)
            self.log.vault.prepare(request.actor)
        self._require_version(wish.to)
        with self.log.transaction() as cursor:
            return incidents_of(cursor, wish)

    def _one(
        self, name: str, wish: MovePromises, actor: str, *, is_preview: bool
    ) -> MovedIncident | None:
        with self.log.transaction() as cursor:
            desk = self.worker.desk(cursor, name)
            work, read = desk.work, dict(desk.versions)
            require_read(cursor, desk, [*work.follows(name), *work.owns(name)])
            at = self.clock()
            desk.reach(at, at)
            before = desk.case
            events = moved(wish, before, actor, at) if before else ()
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
                    uuid5(NAMESPACE, f"{wish.operation}|{name}"),
                    _digest(wish),
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

    def _require_same(self, wish: MovePromises) -> None:
        with self.log.transaction() as cursor:
            first = first_of(self.log, cursor, wish.operation)
        if first is None:
            return
        was = (first.policy, first.contract, first.service)
        if was != (wish.to, wish.contract, wish.service):
            raise Refused(
                f"{wish.operation} is a move to version {first.policy} of other "
                "incidents: go on with it as it was begun, or choose another name",
                "invalid",
            )

    def _seen(self, operation: str) -> MoveSeen:
        with self.log.transaction() as cursor:
            found = seen(self.log, cursor, operation)
        if found is None:
            raise Refused(f"nothing was moved by {operation}", "unknown_move")
        return found


def _digest(wish: MovePromises) -> bytes:
    told = [wish.verb, wish.operation, wish.to]
    return sha256(orjson.dumps(told)).digest()
