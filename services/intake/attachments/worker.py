"""Scans attached files once they are recorded, and deletes what is kept no longer.

A file is claimed for a while, so that several processes share the work; if one dies,
another scans the file when the claim has ended. The verdict is recorded under an id
that follows from file and verdict, so recording it twice is idempotent.
"""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog

from services.intake.attachments.clamd import Finding, ScannerAway, scan
from services.intake.commands.pending_command import PendingCommand
from services.intake.records.system_command import RecordScan
from shared.attachments.content import UnreadableContent, delete_forgotten, load_stored
from shared.attachments.file_type import is_encrypted_archive
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.database.cursors import Cursors
from shared.domain.commands.incident import RemoveAttachment
from shared.domain.events.event import Actor
from shared.eventlog.batcher import Batcher
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.http.rounds import in_rounds
from shared.messaging.commands import Answered, CommandRequest
from shared.observability.health import Check

ACTOR: Actor = "system:clamd"
RETENTION: Actor = "system:intake"
"""Who removes files that were kept long enough."""
LOOK_SECONDS = 2.0
"""How often to look for files to scan."""
SWEEP_EVERY = timedelta(hours=1)
"""How often to delete files of forgotten people, and those kept long enough."""
FILES_A_ROUND = 20
REMOVED_AT_ONCE = 200
"""Files that one sweep removes because of their age; the next one goes on."""
CLAIM = timedelta(minutes=5)
"""How long a process may take for a file before another one tries."""
COUNTED_MAX = 10_000
"""Upper limit of the number of unscanned files that is reported."""
RETRY_MAX = timedelta(hours=1)
"""The longest wait between two attempts at a file; attempts never end."""

_CLAIM = """
UPDATE intake.attachment_scans AS scan
SET attempts = scan.attempts + 1, due_at = %(until)s
FROM (SELECT attachment FROM intake.attachment_scans WHERE due_at <= %(now)s
      ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED) AS due
WHERE scan.attachment = due.attachment
RETURNING scan.attachment, scan.attempts
"""
_POSTPONE = "UPDATE intake.attachment_scans SET due_at = %s WHERE attachment = %s"
_DONE = "DELETE FROM intake.attachment_scans WHERE attachment = %s"
_OLD = """
SELECT attachment::text, incident FROM intake.attachments
WHERE stored_at < %s ORDER BY stored_at LIMIT %s
"""
_WAITING = """
SELECT count(*) FROM (SELECT FROM intake.attachment_scans LIMIT %s) AS waiting
"""
_log = structlog.get_logger(__name__)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class _Claimed:
    attachment: str
    attempts: int


class AttachmentWorker:
    """Scans files if there is a scanner at `clamd_url`, and sweeps."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        commands: Batcher[PendingCommand, Answered],
        clamd_url: str | None,
        days_max: int | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._commands = commands
        self._clamd_url = clamd_url
        self._days_max = days_max
        self._swept_at: datetime | None = None
        self._is_away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Never raises."""
        failed = "attachments.round_failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed)

    async def _round(self) -> None:
        await self.sweep()
        await self.scan_due()

    async def sweep(self) -> int:
        """Delete what no key decrypts and what is too old, if it is time to."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < SWEEP_EVERY:
            return 0
        deleted = await asyncio.to_thread(self._in_transaction, delete_forgotten)
        if self._days_max is not None:
            deleted += await self._remove_old(now, self._days_max)
        self._swept_at = now
        if deleted:
            _log.info("attachments.swept", files=deleted)
        return deleted

    async def _remove_old(self, now: datetime, days: int) -> int:
        """Remove files that were kept long enough; each removal is an event."""

        def old(cursor: Cursors) -> list[tuple[Any, ...]]:
            before = now - timedelta(days=days)
            return cursor.execute(_OLD, (before, REMOVED_AT_ONCE)).fetchall()

        found = await asyncio.to_thread(self._in_transaction, old)
        for attachment, incident in found:
            reason = f"kept for {days} days"
            request = CommandRequest[RemoveAttachment](
                incident=incident,
                actor=RETENTION,
                scopes=("admin",),
                command_id=uuid.uuid5(uuid.UUID(attachment), "retention"),
                body=RemoveAttachment(attachment=attachment, reason=reason),
            )
            try:
                await self._commands.submit(PendingCommand.of(request))
            except HttpError as no:  # its incident cannot be read now: an hour later
                code = no.details.code
                _log.warning("attachments.not_removed", id=attachment, code=code)
        return len(found)

    async def scan_due(self) -> int:
        """Scan the files that are due; return how many got a verdict."""
        if self._clamd_url is None:
            return 0
        claimed = await asyncio.to_thread(self._in_transaction, self._claim)
        done = 0
        for file in claimed:
            try:
                done += await self._scan(self._clamd_url, file)
                self._is_away = False
            except ScannerAway as error:
                self._is_away = True
                _log.warning("attachments.scanner_away", why=str(error))
                await self._postpone(file)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 # the others must go on
                why = type(error).__name__
                _log.warning("attachments.scan_failed", id=file.attachment, why=why)
                await self._postpone(file)
        return done

    async def probe(self) -> Check:
        """Return how many files wait for the scanner; always ready."""
        try:
            unscanned = await asyncio.to_thread(self._in_transaction, _waiting)
        except Unavailable:  # intake's own probe reports this
            unscanned = 0
        scanner = "none" if self._clamd_url is None else "there"
        words = {"scanner": "unavailable" if self._is_away else scanner}
        numbers = {"unscanned": float(unscanned), "scanner_away": float(self._is_away)}
        waits = self._is_away and unscanned  # another process may have scanned them
        alarm = "clamd does not answer: files wait for it" if waits else ""
        return Check("attachments", "files", True, words, numbers, alarm)

    async def _scan(self, url: str, file: _Claimed) -> bool:
        try:
            stored = await asyncio.to_thread(
                self._in_transaction,
                partial(load_stored, vault=self._log.vault, attachment=file.attachment),
            )
        except UnreadableContent as error:
            _log.error("attachments.unreadable", why=str(error))
            await self._postpone(file)
            return False
        if stored is None:  # removed, or its owner was forgotten
            await self._forget(file)
            return False
        incident, content = stored
        found = await scan(url, content)
        if found.verdict == "clean" and is_encrypted_archive(content):
            found = Finding("unscannable", "an archive with a password")
        await self._record(incident, file, found)
        await self._forget(file)
        return True

    async def _record(self, incident: str, file: _Claimed, found: Finding) -> None:
        id_ = uuid.uuid5(uuid.UUID(file.attachment), f"scan {found.verdict}")
        request = CommandRequest[RecordScan](
            incident=incident,
            actor=ACTOR,
            scopes=(),
            command_id=id_,
            body=RecordScan(file.attachment, found.verdict, found.signature),
        )
        digest = digest_of("record_scan", file.attachment, found.verdict)
        try:
            await self._commands.submit(PendingCommand(request, digest))
        except HttpError as no:
            if no.details.code != "unknown_attachment":
                raise

    async def _postpone(self, file: _Claimed) -> None:
        wait = min(RETRY_MAX, timedelta(seconds=LOOK_SECONDS * 2**file.attempts))
        due = self._clock() + wait

        def postpone(cursor: Cursors) -> None:
            cursor.execute(_POSTPONE, (due, file.attachment))

        await asyncio.to_thread(self._in_transaction, postpone)

    async def _forget(self, file: _Claimed) -> None:
        def done(cursor: Cursors) -> None:
            cursor.execute(_DONE, (file.attachment,))

        await asyncio.to_thread(self._in_transaction, done)

    def _claim(self, cursor: Cursors) -> list[_Claimed]:
        now = self._clock()
        asked = {"now": now, "until": now + CLAIM, "limit": FILES_A_ROUND}
        rows = cursor.execute(_CLAIM, asked).fetchall()
        return [_Claimed(str(attachment), attempts) for attachment, attempts in rows]

    def _in_transaction(self, work: Callable[[Cursors], _Answer]) -> _Answer:
        with self._log.transaction() as cursor:
            return work(cursor)


def _waiting(cursor: Cursors) -> int:
    row = cursor.execute(_WAITING, (COUNTED_MAX,)).fetchone()
    return int(row[0]) if row else 0
