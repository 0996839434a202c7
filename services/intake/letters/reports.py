"""Reports of the form become letters, which the API asks for over NATS."""

import uuid
from collections.abc import Awaitable, Callable

from faststream.nats import NatsBroker

from services.intake.letters.letter import Letter
from services.intake.letters.reading import NAMESPACE
from services.intake.letters.rows import FORM
from services.intake.letters.seeing import Taken
from services.intake.letters.taking import Post
from shared import subjects
from shared.command import CommandMessage
from shared.report import Report, Reported

ACTOR = "system:form"
QUEUE_GROUP = "intake"
AT_ONCE_MAX = 16


def letter_of(report: Report) -> Letter:
    """Return what somebody told the form as the letter it is."""
    words = report.words.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return Letter(
        key=uuid.uuid5(NAMESPACE, f"form|{report.email}|{report.key}"),
        sender=report.email,
        name="",
        subject="",
        words=words,
        fresh=words,
        service=report.service,
        language=report.language,
    )


Take = Callable[[Letter, Post], Awaitable[Taken]]


def listen_for_reports(broker: NatsBroker, take_letter: Take) -> None:
    """Subscribe to what the form is told."""

    async def take(request: CommandMessage[Report]) -> Reported:
        post = Post(ACTOR, (), FORM, "web")
        taken = await take_letter(letter_of(request.body), post)
        if taken.fate.incident is None:
            return Reported(verdict="held")
        return Reported(verdict="taken", incident=taken.fate.incident)

    broker.subscriber(
        subjects.command("contact", "report"),
        queue=QUEUE_GROUP,
        max_workers=AT_ONCE_MAX,
        title="contact.report",
        description="Somebody who is not signed in reports by the form.",
    )(take)
