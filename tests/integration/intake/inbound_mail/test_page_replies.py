"""A "yes" takes the very page whose mail it answers, on a real log."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import nats.errors
import pytest

from services.intake.commands.page_taker import PageNotTaken, PageTaker
from services.intake.commands.pending_command import PendingCommand
from services.intake.directory import store as directory_store
from services.intake.inbound_mail.page_reply import page_reply
from services.intake.inbound_mail.parser import read_letter
from shared.contact_methods.store import put_value, verify_value
from shared.domain.events.escalation import EscalationPaged, EscalationReturned
from shared.domain.identifiers import escalation_stream
from shared.eventlog.batcher import Batcher
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, ProblemDetails
from shared.messaging.connection import Link
from shared.security.signed_links import (
    PAGE_LINK_VALID,
    PAGE_TAGS_PURPOSE,
    PageLink,
    page_tag_of,
)
from shared.vault.vault import Vault
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.desks.mail import DESK
from tests.support.mail.raw_mails import mail
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

REF = "INC-000042"
BRUNO = {"id": "bruno", "name": "Bruno K.", "email": "bruno@desk.example"}
OWN = "bruno@home.example"
FIRST, SECOND = f"{REF}.1.1.n2.0.1", f"{REF}.1.1.n2.1.1"


def paged(key: str, at: datetime = NOW) -> EscalationPaged:
    """Return a page of Bruno."""
    return EscalationPaged(
        at=at,
        by="system:escalation",
        incident=REF,
        policy=1,
        cycle=1,
        level="n2",
        step=0,
        loop=1,
        key=key,
        who="person",
        people=("bruno",),
        due_at=at,
    )


RETURNED = EscalationReturned(
    at=NOW,
    by="person:nadia",
    incident=REF,
    policy=1,
    cycle=1,
    from_level="n2",
    to_level="n1",
    team="support",
    returned_at=NOW,
)


@dataclass
class Pages:
    """A log in which Bruno was paged twice at one level."""

    intake: EventLog
    escalation: EventLog

    def reply(
        self, page: str = FIRST, address: str = BRUNO["email"], at: datetime = NOW
    ) -> PageLink | None:
        """Answer "yes" to the mail with a page; return the link of what it takes."""
        key = self.escalation.vault.key_for(PAGE_TAGS_PURPOSE)
        assert key is not None
        tag = page_tag_of(key, page, address, NOW.date(), "")
        answered = f"<{'0' * 40}.{tag}@permanence.example>"
        raw = mail("Yes.", sender=address, in_reply_to=answered)
        return page_reply(self.intake, read_letter(raw, DESK), at)

    def adds(self, address: str, *, verified: bool) -> None:
        """Give Bruno another address."""
        with self.intake.transaction() as cursor:
            put_value(cursor, "bruno", "bruno.1", "mail", address, NOW)
            if verified:
                verify_value(cursor, "bruno", "bruno.1", NOW)


@pytest.fixture
def pages(ruled: Database) -> Iterator[Pages]:
    """Give the log."""
    with (
        closing(EventLog.open(ruled.dsn("desk_intake"), master=MASTER)) as intake,
        closing(EventLog.open(ruled.dsn("desk_escalation"), master=MASTER)) as log,
    ):
        with intake.transaction() as cursor:
            directory_store.import_people(cursor, [BRUNO], NOW)
        log.record(escalation_stream(REF), 0, [paged(FIRST), paged(SECOND)])
        yield Pages(intake, log)


@pytest.mark.parametrize("page", [FIRST, SECOND])
def test_a_yes_takes_the_page_of_the_mail_that_it_answers(
    pages: Pages, page: str
) -> None:
    assert pages.reply(page) == PageLink(page, "bruno", NOW + PAGE_LINK_VALID)


def test_a_yes_counts_no_longer_than_the_link_in_the_same_mail(pages: Pages) -> None:
    last = NOW + PAGE_LINK_VALID

    assert pages.reply(at=last - timedelta(seconds=1)) is not None
    assert pages.reply(at=last) is None


def test_a_yes_to_a_page_of_an_earlier_stay_takes_nothing(pages: Pages) -> None:
    pages.escalation.record(escalation_stream(REF), 2, [RETURNED])
    pages.escalation.record(escalation_stream(REF), 3, [paged(f"{FIRST}.1")])

    assert pages.reply(FIRST) is None
    assert pages.reply(f"{FIRST}.1") is not None


@pytest.mark.parametrize("verified", [True, False])
def test_a_yes_counts_from_every_address_that_the_person_verified(
    pages: Pages, *, verified: bool
) -> None:
    pages.adds(OWN, verified=verified)

    assert (pages.reply(address=OWN) is not None) is verified


def accepts(
    answer: CommandAnswer | ProblemDetails | Exception | bytes,
    acknowledged: HttpError | None = None,
) -> bool:
    """Have escalation answer like this; return whether the reply takes the page."""

    async def request(*_args: object, **_options: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return SimpleNamespace(data=answer)
        return SimpleNamespace(data=answer.model_dump_json().encode())

    async def submit(_: object) -> None:
        if acknowledged is not None:
            raise acknowledged

    taker = PageTaker(
        cast("Vault", SimpleNamespace(key_for=lambda _: b"key")),
        cast("Batcher[PendingCommand, Answered]", SimpleNamespace(submit=submit)),
        cast("Link", SimpleNamespace(client=SimpleNamespace(request=request))),
    )
    page = PageLink(FIRST, "bruno", NOW + PAGE_LINK_VALID)
    return asyncio.run(taker.take(page, "mail", UUID(int=1)))


def refusal(status: int, code: str | None = None) -> ProblemDetails:
    """Return a refusal of the escalation service."""
    return ProblemDetails(title="no", status=status, detail="why", code=code)


def test_a_reply_that_escalation_accepts_or_refuses_is_decided() -> None:
    done = CommandAnswer(outcome="recorded", incident=REF, version=3, positions=[7])

    assert accepts(done)
    assert accepts(done, HttpError(409, "it was closed in the meantime", code="state"))
    for status in (403, 404, 409, 412, 422):
        assert not accepts(refusal(status))


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (refusal(503, "log_away"), 503, "log_away"),
        (refusal(429, "too_many"), 429, "too_many"),
        (refusal(500), 500, None),
        (nats.errors.NoRespondersError(), 503, "owner_away"),
        (TimeoutError(), 503, "owner_away"),
        (b"{}", 503, "owner_away"),
    ],
    ids=["its log is away", "busy", "a mistake", "no service", "no answer", "other"],
)
def test_a_reply_without_a_decision_keeps_the_code_of_the_service(
    answer: ProblemDetails | Exception | bytes, status: int, code: str | None
) -> None:
    with pytest.raises(PageNotTaken) as no:
        accepts(answer)

    assert (no.value.details.status, no.value.details.code) == (status, code)
