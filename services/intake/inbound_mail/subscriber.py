"""Takes reports of the form as inbound mail, whichever service shows the form."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict

from faststream.nats import NatsBroker

from services.intake.attachments.rules import incoming
from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.parser import NAMESPACE
from services.intake.inbound_mail.store import FORM
from services.intake.inbound_mail.worker import MailDelivery, MailIntake
from shared.contacts.form import SentFile
from shared.domain.commands.contact import FileNotKept, Report, Reported
from shared.eventlog.errors import Unavailable
from shared.http.error_responses import UNREADABLE
from shared.messaging import subjects
from shared.messaging.commands import CommandMessage

ACTOR = "system:form"
AT_ONCE_MAX = 16


def letter_of(report: Report, files: Sequence[SentFile] = ()) -> InboundMail:
    """Return a report of the form as inbound mail."""
    words = report.words.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return InboundMail(
        key=uuid.uuid5(NAMESPACE, f"form|{report.email}|{report.key}"),
        sender=report.email,
        name="",
        subject="",
        words=words,
        fresh=words,
        service=report.service,
        language=report.language,
        files=tuple(incoming(each.name, each.content) for each in files),
    )


async def report_taken(
    letters: MailIntake,
    report: Report,
    files: Sequence[SentFile] = (),
    _address: str = "",
) -> Reported:
    """Take a report of the form."""
    post = MailDelivery(ACTOR, (), FORM, "web")
    taken = await letters.take(letter_of(report, files), post)
    if taken.fate.incident is None:
        return Reported(verdict="held")
    left_out = tuple(FileNotKept(**asdict(each)) for each in taken.left_out)
    incident = taken.fate.incident
    reported = Reported(verdict="taken", incident=incident, left_out=left_out)
    try:
        opened = await letters.opening(incident)
    except (Unavailable, LookupError, *UNREADABLE):
        return reported  # it is recorded, and the mail contains the promises
    told = {"reported_at": opened.reported_at, "policy": opened.policy}
    return reported.model_copy(update=told)


def listen_for_reports(
    broker: NatsBroker, queue_group: str, letters: MailIntake
) -> None:
    """Subscribe to the reports of the form."""

    async def take(request: CommandMessage[Report]) -> Reported:
        return await report_taken(letters, request.body)

    broker.subscriber(
        subjects.command("contact", "report"),
        queue=queue_group,
        max_workers=AT_ONCE_MAX,
        title="contact.report",
        description="Somebody who is not signed in reports by the form.",
    )(take)
