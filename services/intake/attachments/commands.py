"""Attaches files to incidents: checks, encrypts, and submits each as a command."""

import uuid
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from services.intake.attachments.rules import (
    A_DAY,
    DEFAULT,
    MESSAGE_FILES_MAX,
    FileLimits,
    IncomingFile,
    LeftOut,
    digest_of_file,
    for_messages,
    of_message,
    refusal,
    why_left_out,
)
from services.intake.commands.pending_command import PendingCommand
from services.intake.records.rules.attachments import same_file
from services.intake.records.store import RecordCache, readable
from services.intake.records.system_command import AttachFile, LeaveOutFile
from shared.attachments.content import EncryptedContent, encrypted, stored_since
from shared.attachments.schemas import AttachmentAnswer
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.domain.events.incident_attachments import WhyLeftOut
from shared.domain.incident import Incident
from shared.domain.policy.targets import Channel
from shared.eventlog.batcher import Batcher
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, CommandRequest, Scope
from shared.threads import in_thread

NAMESPACE = uuid.UUID("0d4f6a52-5f1b-4c0e-9d36-2a1c8a7e6b90")
"""The namespace of attachment ids: a repeated command has the same one."""


@dataclass(frozen=True, slots=True)
class Message:
    """The message that files came with: its key, its author, and its channel."""

    key: uuid.UUID
    person: str | None
    channel: Channel


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who attaches files: the actor in the log, and their scopes."""

    actor: str
    scopes: tuple[Scope, ...]


class Attacher:
    """Attaches files, whichever way they came."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        executor: Executor,
        commands: Batcher[PendingCommand, Answered],
        limits: FileLimits = DEFAULT,
    ) -> None:
        self.limits = limits
        self._log = log
        self._clock = clock
        self._executor = executor
        self._commands = commands
        self._cache = RecordCache(log)

    async def attach(
        self,
        ref: str,
        file: IncomingFile,
        uploader: Uploader,
        command_id: uuid.UUID | None,
    ) -> AttachmentAnswer:
        """Attach a file for a person. Raises `HttpError` or `Unavailable`.

        With a `command_id`, a repeat gets the same answer.
        """
        if why := why_left_out(file, self.limits, await self._stored_today()):
            raise refusal(why, file, self.limits)
        id_ = command_id or uuid.uuid4()  # noqa: TID251 # a command without an id
        pending = await in_thread(
            self._executor, _pending, ref, file, uploader, id_, None
        )
        done = await self._submit(pending)
        same: str | None = None
        if done.outcome == "already":
            same = await in_thread(self._executor, self._same, ref, file)
        attachment = same or str(_attachment_id(id_))
        return AttachmentAnswer(
            **done.model_dump(exclude={"asks"}),
            attachment=attachment,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
        )

    async def attach_message(
        self,
        ref: str,
        files: Sequence[IncomingFile],
        uploader: Uploader,
        message: Message,
    ) -> Sequence[LeftOut]:
        """Attach the files of a message; return those that are not kept.

        Repeating it is idempotent. Raises `HttpError` or `Unavailable`.
        """
        kept = 0
        notes: list[LeftOut] = []
        limits = for_messages(self.limits)
        for file in of_message(files):
            why = why_left_out(file, limits, await self._stored_today())
            if why is None and kept >= MESSAGE_FILES_MAX:
                why = "too_many"
            if why is None and not await self._has_room(ref, file, uploader, message):
                why = "too_many"
            if why is None:
                kept += 1
                continue
            notes.append(LeftOut(file.name, why))
            id_ = uuid.uuid5(message.key, f"left out {digest_of_file(file)}")
            await self._submit(_pending(ref, file, uploader, id_, message, why))
        return notes

    async def _has_room(
        self, ref: str, file: IncomingFile, uploader: Uploader, message: Message
    ) -> bool:
        """Attach a file of a message; False if its incident has no room for it."""
        id_ = uuid.uuid5(message.key, f"file {digest_of_file(file)}")
        pending = await in_thread(
            self._executor, _pending, ref, file, uploader, id_, message
        )
        try:
            await self._submit(pending)
        except HttpError as no:
            if no.details.code != "state":
                raise
            return False
        return True

    async def incident(self, ref: str) -> Incident | None:
        """Return an incident, None if unknown. Raises `HttpError`, `Unavailable`."""
        return await in_thread(self._executor, self._read, ref)

    async def _submit(self, pending: PendingCommand) -> CommandAnswer:
        done = await self._commands.submit(pending)
        assert isinstance(done, CommandAnswer)  # noqa: S101 # it is about an incident
        return done

    async def _stored_today(self) -> int:
        def stored() -> int:
            with self._log.transaction() as cursor:
                return stored_since(cursor, self._clock() - A_DAY)

        return await in_thread(self._executor, stored)

    def _same(self, ref: str, file: IncomingFile) -> str | None:
        found = self._read(ref)
        digest = sha256(file.content).hexdigest()
        return None if found is None else same_file(found, digest)

    def _read(self, ref: str) -> Incident | None:
        with self._log.transaction() as cursor:
            return readable(self._cache.read(cursor, [ref]), ref).incident


def _attachment_id(command_id: uuid.UUID) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, command_id.hex)


def _pending(
    ref: str,
    file: IncomingFile,
    uploader: Uploader,
    id_: uuid.UUID,
    message: Message | None,
    why: WhyLeftOut | None = None,
) -> PendingCommand:
    """Return the command for a file; encrypts its content."""
    digest = sha256(file.content).hexdigest()
    told = _told(file, message)
    content: EncryptedContent | None = None
    body: AttachFile | LeaveOutFile
    if why is None:
        content = encrypted(_attachment_id(id_), file.content)
        body = AttachFile(
            attachment=str(content.attachment),
            sha256=content.sha256,
            content_sha256=digest,
            **told,
        )
    else:
        body = LeaveOutFile(why=why, **told)
    request = CommandRequest[Any](
        incident=ref,
        actor=uploader.actor,
        scopes=uploader.scopes,
        command_id=id_,
        body=body,
    )
    # Not of the command: a repeat is encrypted with another key, and a limit may have
    # been reached in the meantime.
    return PendingCommand(request, digest_of("attach_file", ref, digest), content)


def _told(file: IncomingFile, message: Message | None) -> dict[str, Any]:
    told = {"name": file.name, "media_type": file.media_type, "size": file.size}
    if message is None:
        return told
    origin = (("person", message.person), ("channel", message.channel))
    return {**told, **dict(origin), "message": str(message.key)}
