"""Takes inbound mail: reads, places, records and stores each mail exactly once.

The contact is recorded in the log before the mail is stored, with a command id derived
from the mail: so if a process dies in between, taking the mail again is idempotent.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

import structlog

from services.intake.attachments.commands import Attacher, Message, Uploader
from services.intake.commands.page_taker import PageTaker
from services.intake.commands.pending_command import PendingCommand
from services.intake.inbound_mail.context import (
    MailLookup,
    MailResult,
    MailSubject,
    opening_of,
    see,
)
from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.page_reply import page_reply
from services.intake.inbound_mail.placement import (
    MailContext,
    Placement,
    placed,
    vouched,
)
from services.intake.inbound_mail.report_key import (
    digest_of_report,
    key_reused,
    require_stored_as,
)
from services.intake.inbound_mail.store import (
    FORM,
    MailOutcome,
    StoredMail,
    Verdict,
    keep,
    note_taken,
    sealed,
    sealed_files,
)
from shared.clock import Clock
from shared.commands.refusals import MISUSED
from shared.domain.commands.incident import Attach, Open, Reopen
from shared.domain.events.incident import IncidentOpened
from shared.domain.policy.targets import Channel
from shared.eventlog.batcher import Batcher
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, CommandRequest, Scope
from shared.threads import in_thread

ATTEMPTS_MAX = 5
"""How often a mail is placed again because its incident has changed."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailDelivery:
    """How a mail came: by whom, from which source, on which channel, when.

    `raw` is the original mail, stored if the mail cannot be read.
    """

    actor: str
    scopes: tuple[Scope, ...]
    source: str
    channel: Channel
    arrived_at: datetime | None = None
    raw: bytes | None = None
    incident: str | None = None
    """The incident that the poster has chosen for it."""


class MailIntake:
    """Takes inbound mail from every source; `note` receives each verdict."""

    def __init__(
        self,
        sight: MailLookup,
        clock: Clock,
        executor: Executor,
        commands: Batcher[PendingCommand, Answered],
        attacher: Attacher,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.sight = sight
        self._clock = clock
        self._executor = executor
        self._commands = commands
        self._attacher = attacher
        self._note = note
        self.pages: PageTaker | None = None
        """Takes incidents by replies to pages. None: these are mails like others."""

    async def take(self, letter: InboundMail, post: MailDelivery) -> MailResult:
        """Take a mail and return the result. Raises `Unavailable` or `HttpError`.

        If it raises, nothing is lost: take the mail again.
        """
        taken = await self._page_taken(letter, post)
        taken = taken or await self._taken(letter, post)
        if not taken.repeated or post.source == FORM:
            taken = await self._with_files(letter, post, taken)
        if not taken.repeated:
            await in_thread(
                self._executor, lambda: self._keep(letter, post, taken.fate)
            )
        if post.source == FORM:
            await in_thread(
                self._executor, lambda: require_stored_as(self.sight.log, letter)
            )
        verdict = "repeated" if taken.repeated else taken.fate.verdict
        self._note(verdict)
        _log.info(
            "letter.taken",
            verdict=verdict,
            source=post.source,
            incident=taken.fate.incident,
            key=str(letter.key),
        )
        return taken

    async def set_aside(
        self, letter: InboundMail, post: MailDelivery, why: str
    ) -> None:
        """Store a mail that cannot be taken, with the reason, so that others can."""
        fate = MailOutcome("unreadable", why)
        await in_thread(self._executor, lambda: self._keep(letter, post, fate))
        self._note(fate.verdict)

    async def take_again(self, letter: InboundMail, post: MailDelivery) -> MailResult:
        """Take a mail that was set aside, and return the result.

        The caller has read it, so the reasons for setting it aside no longer count.
        """
        taken = await self._taken(letter, post, again=True)
        if taken.fate.incident is not None:
            taken = await self._with_files(letter, post, taken)
            await in_thread(
                self._executor, lambda: self._keep(letter, post, taken.fate, post.actor)
            )
        self._note(taken.fate.verdict)
        return taken

    async def opening(self, ref: str) -> IncidentOpened:
        """Return how an incident began. Raises `Unavailable` or `LookupError`."""
        return await in_thread(self._executor, lambda: opening_of(self.sight.log, ref))

    async def _page_taken(
        self, letter: InboundMail, post: MailDelivery
    ) -> MailResult | None:
        """Return the result if a mail takes an incident; None if it is another mail.

        Refused, as when a colleague has it, it becomes a contact like others.
        """
        pages = self.pages
        if pages is None or post.source == FORM or post.incident is not None:
            return None
        log, now = self.sight.log, self._clock()
        page = await in_thread(self._executor, lambda: page_reply(log, letter, now))
        if page is None or not await pages.take(page, "mail", letter.key):
            return None
        fate = MailOutcome("answered", None, page.incident, page.person, confirmed=True)
        return MailResult(fate, known=True)

    async def _taken(
        self, letter: InboundMail, post: MailDelivery, *, again: bool = False
    ) -> MailResult:
        for _ in range(ATTEMPTS_MAX):
            seen = await in_thread(
                self._executor,
                lambda: see(
                    self.sight,
                    letter,
                    self._clock(),
                    again=again,
                    by_form=post.source == FORM,
                ),
            )
            if isinstance(seen, MailResult):
                return seen
            if post.incident and seen.incident is None:
                raise HttpError(
                    HTTPStatus.NOT_FOUND,
                    f"there is no incident {post.incident}: leave `incident` out, and "
                    "the mail says where it belongs",
                    code="unknown_incident",
                )
            try:
                fate = await self._contact(letter, post, seen)
            except HttpError as no:
                if no.details.code != "state":
                    raise
                # It was merged or closed in the meantime: place it again.
            else:
                return MailResult(fate, seen.known)
        raise HttpError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the incident it names is very busy; nothing was done: send it again",
            code="busy",
            retry_after=1,
        )

    async def _contact(
        self, letter: InboundMail, post: MailDelivery, seen: MailSubject
    ) -> MailOutcome:
        arrival = MailContext(seen.at, post.channel, post.arrived_at, seen.confirmed)
        if post.incident and seen.incident:
            where = vouched(letter, seen.person, seen.incident, arrival)
        else:
            where = placed(letter, seen.person, seen.incident, arrival, seen.policy)
        incident = await self._ask(letter, post, where)
        verdict: Verdict = "attached" if where.incident else "opened"
        vouched_for = bool(post.incident and seen.incident)
        confirmed = seen.confirmed or vouched_for
        return MailOutcome(verdict, where.note, incident, seen.person, confirmed)

    async def _ask(
        self, letter: InboundMail, post: MailDelivery, where: Placement
    ) -> str | None:
        incident = where.incident
        for number, command in enumerate(where.commands):
            id_ = uuid.uuid5(letter.key, command.verb) if number else letter.key
            digest = digest_of_report(letter) if post.source == FORM else id_.bytes
            wanted = _wanted(command, incident, id_, digest, post)
            try:
                answer = await self._commands.submit(wanted)
            except HttpError as no:
                if post.source == FORM and no.details.code == MISUSED:
                    raise key_reused() from no
                if not number:
                    raise
                break  # the text is recorded; it may stay closed
            if isinstance(answer, CommandAnswer):
                incident = answer.incident
        return incident

    async def _with_files(
        self, letter: InboundMail, post: MailDelivery, taken: MailResult
    ) -> MailResult:
        """Attach the files of a mail that was taken; repeating it is idempotent."""
        fate = taken.fate
        if fate.verdict not in ("opened", "attached") or fate.incident is None:
            return taken
        left_out = await self._attacher.attach_message(
            fate.incident,
            letter.files,
            Uploader(post.actor, post.scopes),
            Message(letter.key, fate.person, post.channel),
        )
        return replace(taken, left_out=tuple(left_out))

    def _keep(
        self,
        letter: InboundMail,
        post: MailDelivery,
        fate: MailOutcome,
        retried_by: str | None = None,
    ) -> None:
        vault = self.sight.log.vault
        owner = f"person:{fate.person}" if fate.person else post.actor
        vault.prepare(owner)
        raw = post.raw if fate.verdict == "unreadable" else None
        hidden = sealed(vault, letter, owner, raw)
        waits = fate.verdict in ("held", "automatic")
        files = sealed_files(vault, letter, owner) if waits else None
        kept = StoredMail(post.source, self._clock(), owner, hidden, files)
        with self.sight.log.transaction() as cursor:
            if retried_by is None:
                keep(cursor, letter.key, fate, kept)
            else:
                note_taken(cursor, letter.key, fate, kept, retried_by)


def _wanted(
    command: Open | Attach | Reopen,
    incident: str | None,
    id_: uuid.UUID,
    digest: bytes,
    post: MailDelivery,
) -> PendingCommand:
    request = CommandRequest[Open | Attach | Reopen](
        incident=incident,
        actor=post.actor,
        scopes=post.scopes,
        command_id=id_,
        body=command,
    )
    # Repeats are recognised by the mail, not the command: placement may differ.
    return PendingCommand(request, digest)
