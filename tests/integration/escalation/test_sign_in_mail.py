"""Links that are mailed to sign in, and the alarm of a break-glass code."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

import orjson
import psycopg
import pytest

from services.escalation.notifications.channels.mail import (
    MailChannel,
    mail_server,
)
from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.ntfy import Ntfy
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.webhook import (
    WebhookChannel,
    forgetful_client,
    receiver,
)
from services.escalation.sign_in_mail.letters import LINKS_MAX, Impossible, Letters
from services.escalation.sign_in_mail.worker import (
    INVITATION_TOO_LATE as A_WEEK,
)
from services.escalation.sign_in_mail.worker import TOO_LATE, SignInMail
from services.intake.people.invitation_store import write_link
from shared.contact_methods.codes import VALID, request_code
from shared.contact_methods.store import put_value
from shared.domain.events.contact_method import PersonContactMethodAdded
from shared.domain.events.person import PersonInvited
from shared.domain.identifiers import person_stream
from shared.eventlog.log import EventLog
from shared.observability.health import Check
from shared.security.mail_requests import (
    AGAIN,
    request_alarm,
    request_contact_code,
    request_link,
)
from shared.security.sender import seal_keys_of
from shared.security.sessions import Start
from shared.security.sign_in_links import use_up
from shared.vault.master_keys import MasterKeys
from tests.support.desks.door import Door
from tests.support.key_ring import MASTER
from tests.support.mail.smtp_server import HOST, Inbox, open_inbox
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database, PostgresServer
from tests.support.servers.webhook_receiver import Postbox, open_postbox

pytestmark = pytest.mark.servers

_PERSON = """
INSERT INTO directory.people (id, name, email, language, updated_at, confirmed)
VALUES (%s, %s, %s, %s, now(), %s)
"""
_NAMES = UUID("5a4f5f6e-33f1-4a3c-8d8e-3a6f0b7d3a11")


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> Iterator[Database]:
    """Give one database to all tests, each with people of its own."""
    database = postgres_server.fresh_database()
    yield database
    postgres_server.drop(database)


@dataclass
class Post:
    """The sender of escalation, step by step, and where its messages arrive."""

    door: Door
    database: Database
    inbox: Inbox
    postbox: Postbox
    check: Check | None = None
    """What the sender said last of itself."""

    def knows(
        self, person: str, email: str, language: str = "en", *, confirmed: bool = True
    ) -> None:
        """Put somebody into the directory."""
        with psycopg.connect(self.database.owner_dsn) as owner:
            row = (person, person.title(), email, language, confirmed)
            owner.execute(_PERSON, row)

    def asks(self, address: str, name: str = "") -> None:
        """Ask for a link, as the API does."""
        with self.door.log.transaction() as cursor:
            request = uuid5(_NAMES, f"{address}{name}{self.door.now}")
            request_link(cursor, request, address, self.door.now)

    def invites(self, person: str) -> None:
        """Invite somebody, as intake does."""
        now, by = self.door.now, "person:root"
        event = PersonInvited(at=now, by=by, person=person, until=now + A_WEEK)
        with self.door.log.transaction() as cursor:
            write_link(cursor, seal_keys_of(self.door.log), event)

    def wants_code(self, person: str, topic: str) -> None:
        """Add a topic of ntfy to a person, and ask for its code, as intake does."""
        method, request = f"{person}.1", uuid5(_NAMES, topic)
        added = PersonContactMethodAdded(
            at=self.door.now,
            by=f"person:{person}",
            person=person,
            method=method,
            kind="ntfy",
        )
        stream, log = person_stream(person), self.door.log
        log.record(stream, log.head_version(stream), [added])
        with log.transaction() as cursor:
            put_value(cursor, person, method, "ntfy", topic, self.door.now)
            request_code(cursor, request, person, method, self.door.now)
            request_contact_code(cursor, request, person, self.door.now)

    def sends(
        self,
        *,
        lets_die: bool = False,
        public_url: str = "https://desk.example",
        master: MasterKeys | None = MASTER,
    ) -> None:
        """Send all that is due; or die after sending, before that is recorded."""
        dsn = self.database.dsn("desk_escalation")
        with closing(EventLog.open(dsn, master=master)) as log:
            asyncio.run(self._sent(log, public_url, lets_die=lets_die))

    async def _sent(self, log: EventLog, public_url: str, *, lets_die: bool) -> None:
        server = mail_server(f"smtp://{HOST}:{self.inbox.port}")
        sender = Mailbox("desk@desk.example", "Desk")
        hook = receiver(self.postbox.url, "secret")
        async with forgetful_client() as client:
            mails = MailChannel(server, sender)
            posts = WebhookChannel(client, hook)
            pushes = Ntfy(client, self.postbox.origin)
            outlets = Outlets.of((mails, posts, pushes))
            with ThreadPoolExecutor(2) as threads:
                letters = Letters(log, public_url)
                mail = SignInMail(letters, outlets, lambda: self.door.now, threads)
                if lets_die:
                    taken = mail._taken()  # what it does before it dies
                    assert taken is not None
                    _, parcels = taken
                    assert not isinstance(parcels, Impossible)
                    await outlets.send(parcels[0], self.door.now)
                    return
                while await mail.send_next():
                    pass
                self.check = await mail.probe()
                await mail.leave(0 if self.postbox.hang else SECONDS)

    @property
    def links(self) -> list[str]:
        """The links in the mails that came."""
        found = (re.search(r"/link/(\S+)", each.get_content()) for each in self.mails)
        return [each[1] for each in found if each]

    @property
    def mails(self) -> list:  # type: ignore[type-arg] # of whatever kind
        """The mails that came."""
        return self.inbox.mails

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        with psycopg.connect(self.database.owner_dsn) as owner:
            row = owner.execute("SELECT count(*) FROM access.sign_in_mail").fetchone()
        return int(row[0]) if row else 0


@pytest.fixture
def post(database: Database) -> Iterator[Post]:
    with (
        open_inbox() as inbox,
        open_postbox() as postbox,
        closing(EventLog.open(database.owner_dsn, master=MASTER)) as log,
    ):
        yield Post(Door(log), database, inbox, postbox)


def test_who_has_the_address_and_a_right_gets_a_link_that_signs_in(post: Post) -> None:
    post.knows("nadia", "Nadia@desk.example", "fr")
    post.door.grants("nadia")

    post.asks("nadia@DESK.example")
    post.sends()

    (mail,) = post.mails
    assert mail["Subject"] == "Votre lien de connexion"
    assert "In-Reply-To" not in mail
    with post.door.log.transaction() as cursor:
        start = use_up(
            cursor, seal_keys_of(post.door.log), post.links[0], post.door.now
        )
    assert start == Start("person:nadia", "mail")
    assert post.waiting == 0


@pytest.mark.parametrize("kind", ["stranger", "without rights", "unconfirmed"])
def test_nobody_else_gets_any_mail(post: Post, kind: str) -> None:
    person = kind.replace(" ", "-")
    if kind != "stranger":
        post.knows(person, f"{person}@x.example", confirmed=kind != "unconfirmed")
    if kind == "unconfirmed":
        post.door.grants(person)

    post.asks(f"{person}@x.example")
    post.sends()

    assert post.mails == []
    assert post.waiting == 0


def test_a_mail_that_is_sent_again_after_a_crash_has_the_same_link(post: Post) -> None:
    post.knows("otto", "otto@desk.example")
    post.door.grants("otto")
    post.asks("otto@desk.example")

    post.sends(lets_die=True)
    post.sends()
    post.door.passes(seconds=AGAIN.total_seconds())
    post.sends()

    first, second = post.links
    assert first == second
    assert post.mails[0]["Message-ID"] == post.mails[1]["Message-ID"]


def test_a_code_to_an_address_that_does_not_answer_delays_no_sign_in(
    post: Post,
) -> None:
    post.knows("walt", "walt@desk.example")
    post.door.grants("walt")
    post.postbox.hang = True
    post.wants_code("walt", "walt-Qx7")
    post.door.passes(seconds=1)
    post.asks("walt@desk.example")

    post.sends()

    assert (len(post.links), post.waiting) == (1, 1)
    post.door.passes(seconds=VALID.total_seconds())
    post.sends()
    assert post.waiting == 0


def test_a_code_is_sent_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.escalation.sign_in_mail.worker.CODE_SECONDS", SECONDS)
    post.knows("xena", "xena@desk.example")
    post.postbox.status = 200
    post.wants_code("xena", "xena-Qx7")
    post.sends()
    post.door.passes(minutes=1)
    post.sends()

    (push,) = post.postbox.requests
    assert re.search(r"\d{6}", orjson.loads(push.body)["message"])
    assert post.waiting == 0


def test_nobody_is_flooded_with_links(post: Post) -> None:
    post.knows("pia", "pia@desk.example")
    post.door.grants("pia")

    for number in range(LINKS_MAX + 2):
        post.asks("pia@desk.example", str(number))
    post.sends()
    post.door.passes(hours=2)
    post.asks("pia@desk.example")
    post.sends()

    assert len(post.mails) == LINKS_MAX + 1


def test_a_link_waits_for_the_mail_server_but_not_for_ever(post: Post) -> None:
    post.knows("quin", "quin@desk.example")
    post.door.grants("quin")
    post.inbox.refuse_content = "451 4.7.1 later"
    post.asks("quin@desk.example")
    post.sends()
    assert (len(post.mails), post.waiting) == (0, 1)

    post.inbox.refuse_content = None
    post.door.passes(minutes=1)
    post.sends()
    assert (len(post.mails), post.waiting) == (1, 0)

    post.asks("quin@desk.example")
    post.door.passes(seconds=TOO_LATE.total_seconds())
    post.sends()
    assert (len(post.mails), post.waiting) == (1, 0)


@pytest.mark.parametrize("missing", ["public_url", "master"])
def test_an_invitation_waits_until_escalation_can_make_its_link(
    post: Post, missing: str
) -> None:
    person = f"uma-{missing.replace('_', '-')}"
    post.knows(person, f"{person}@desk.example")
    post.door.grants(person)
    post.invites(person)

    if missing == "public_url":
        post.sends(public_url="")
    else:
        post.sends(master=None)
    assert (len(post.mails), post.waiting) == (0, 1)
    assert post.check
    assert post.check.numbers["impossible"] == 1
    assert "PERMANENCE_PUBLIC_URL" in post.check.words["why"]

    post.door.passes(hours=30)
    post.sends()
    assert (len(post.mails), len(post.links), post.waiting) == (1, 1, 0)
    assert post.check.numbers["impossible"] == 0


def test_the_mail_of_an_invitation_whose_link_is_over_is_given_up(post: Post) -> None:
    post.invites("vic")
    post.door.passes(seconds=A_WEEK.total_seconds())

    post.sends(public_url="")

    assert post.waiting == 0


def test_a_break_glass_code_alarms_each_manager_once(post: Post) -> None:
    for person, role in (("rita", "manager"), ("saul", "admin"), ("tom", "agent")):
        post.knows(person, f"{person}@desk.example")
        post.door.grants(person, role, until=post.door.now + timedelta(hours=1))  # type: ignore[arg-type] # one of them
    made = post.door.begins(Start("person:break-glass", "break_glass"))
    post.postbox.status = 503
    with post.door.log.transaction() as cursor:
        request = uuid5(_NAMES, made.session_id)
        request_alarm(cursor, request, made.session_id, "safe", post.door.now)

    post.sends()
    post.postbox.status = 204
    post.door.passes(minutes=1)
    post.sends()

    told = [to for each in post.inbox.recipients for to in each]
    assert told == ["rita@desk.example", "saul@desk.example"]
    assert {each["Subject"] for each in post.mails} == {
        "Alarm: a break-glass code was used"
    }
    assert "Code kept: safe" in post.mails[0].get_content()
    payload = orjson.loads(post.postbox.requests[-1].body)
    assert len(post.postbox.requests) == 2
    assert (payload["kind"], payload["label"]) == ("break_glass", "safe")
    assert post.waiting == 0
