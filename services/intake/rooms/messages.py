"""The room of people who write or call: mail, forms, files, and answers to messages."""

from services.intake.assembly import Parts
from services.intake.attachments.endpoints import attachment_routes
from services.intake.callbacks.endpoints import CallbackEndpoints
from services.intake.contacts.endpoints import contact_routes
from services.intake.inbound_mail.endpoints import mail_routes
from services.intake.mailboxes.mailbox import Mailbox
from services.intake.mailboxes.worker import (
    Mailboxes,
    MailboxesProbe,
    mailboxes_candidate,
)
from services.intake.page_tests.store import PageTestDesk
from services.intake.policy.store import Policies
from services.intake.room import Room
from shared.domain.policy.sources import Mailbox as MailboxClause


def messages(parts: Parts) -> Room:
    """Return how messages of people come in, and how answers to ours do."""
    log, context, letters = parts.log, parts.context, parts.letters
    mailboxes = _mailboxes(parts)
    return Room(
        (
            *mail_routes(context, letters),
            *attachment_routes(context, parts.attacher),
            *contact_routes(context, letters, parts.commands, parts.config.form),
            *_callbacks(parts).routes(),
        ),
        (mailboxes.run, parts.held_mail.run, parts.attachments.run),
        (
            MailboxesProbe(log, parts.in_force, mailboxes),
            parts.held_mail.probe,
            parts.attachments.probe,
        ),
    )


def _callbacks(parts: Parts) -> CallbackEndpoints:
    log, clock, letters = parts.log, parts.clock, parts.letters
    page_tests = PageTestDesk(log, Policies(log), clock)
    return CallbackEndpoints(
        log,
        lambda: letters.pages,
        clock,
        parts.config.callbacks,
        page_tests.answered_by_call,
    )


def _mailboxes(parts: Parts) -> Mailboxes:
    log, letters, config = parts.log, parts.letters, parts.config

    def opened(source: str, clause: MailboxClause) -> Mailbox:
        return Mailbox(source, clause, log, letters, config.our_address)

    candidate = mailboxes_candidate(config.dsn, log.may_write)
    return Mailboxes(candidate, parts.in_force, opened, on_lever=config.on_lever)
