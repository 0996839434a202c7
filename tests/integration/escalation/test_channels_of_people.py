"""A page by a person's own contact: through the real sender, to its provider and back.

Rules request pages by mail; the test asks for the same page by another channel.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx
import psycopg
import pytest
from structlog.testing import capture_logs

from services.escalation.bundles.admission import Admission
from services.escalation.notifications import outbox
from services.escalation.notifications.channels.channel import (
    Channel,
    ChannelContext,
    ChannelTraits,
    contact_of,
)
from services.escalation.notifications.channels.outlets import Outlets, outlets_of
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from services.escalation.notifications.composer import Composer
from services.escalation.notifications.contacts import (
    CHANGED,
    NO_CONTACT,
    ContactAddress,
    Contacts,
    callback_links,
)
from services.escalation.notifications.delivery_reports import (
    WAITED_MAX,
    DeliveryReports,
)
from services.escalation.notifications.dispatcher import NotificationSender
from services.escalation.notifications.recorder import DeliveryRecorder
from services.escalation.page_tests.recorder import PageTestRecorder
from shared.contact_methods.fingerprints import Address, fingerprint
from shared.domain import events
from shared.domain.events.contact_method import PersonAddressChanged
from shared.domain.events.notification import Channel as ChannelName
from shared.domain.identifiers import escalation_stream, incident_ref
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.messaging.delivery_reports import DeliveryReport, keep
from shared.process_manager.worker import settle
from shared.settings import EscalationSettings
from tests.support.builders.on_call.parcels import SERVERS
from tests.support.builders.promises import local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.leadership import Unfenced
from tests.support.desks.watching import opened
from tests.support.servers.servers import Database
from tests.support.servers.webhook_receiver import Postbox, open_postbox

pytestmark = pytest.mark.servers

INC = incident_ref(1)
START = local("09:10")
PUBLIC_URL = "https://desk.example"
_PERSON = """
INSERT INTO directory.people (id, name, email, language, zone, updated_at)
VALUES (%s, 'Bruno', 'bruno@valmont.example', %s, 'Europe/Paris', now())
"""


@dataclass
class Told:
    """A desk whose incident was paged, and the server of all providers."""

    desk: HelpingDesk
    server: Postbox
    page: events.NotificationRequested

    def asks(self, channel: ChannelName, key: str = "k-1") -> None:
        """Request the same page by a channel, and let the outbox read it."""
        event = self.page.model_copy(update={"channel": channel, "key": key})
        with self.desk.log.transaction() as cursor:
            case = self.desk.worker.desk(cursor, INC)
            case.record(event)
            settle(self.desk.log, cursor, case)
        before = self.entries()
        with self.desk.log.transaction() as cursor:
            outbox.follow(cursor, [e for e in before if e.event == event])

    def entries(self) -> list[Entry]:
        """Return what escalation recorded of the incident."""
        return list(self.desk.log.history(escalation_stream(INC)))

    def of(self, key: str = "k-1") -> list[events.AnyEvent]:
        """Return what was recorded of a message."""
        found = (entry.event for entry in self.entries())
        return [each for each in found if getattr(each, "key", None) == key]

    def sends(
        self,
        settings: Mapping[str, str],
        address: ContactAddress | None,
        *more: Channel,
    ) -> None:
        """Send what is in the outbox; `more` channels replace those of their names."""
        asyncio.run(self._sent(settings, address, more))

    async def _sent(
        self,
        settings: Mapping[str, str],
        address: ContactAddress | None,
        more: tuple[Channel, ...],
    ) -> None:
        read = EscalationSettings.model_validate(SERVERS | {**settings})
        log, clock = self.desk.log, self.desk.sla.clock
        async with httpx.AsyncClient() as client:
            whole = outlets_of(ChannelContext(read, client, client)).channels
            outlets = Outlets.of((*whole.values(), *more))
            contacts = Contacts(
                lambda _, __: address,
                outlets.traits,
                callback_link=callback_links(log.vault, PUBLIC_URL),
            )
            compose = Composer(log, PolicyVersions(log), PUBLIC_URL, contacts)
            with ThreadPoolExecutor(1) as threads:
                recorder = DeliveryRecorder(
                    log, self.desk.worker, clock, outlets, Admission.within
                )
                sender = NotificationSender(
                    log, recorder, clock, compose, outlets, threads
                )
                async with sender.recording():
                    for waiting in self.heads():
                        await sender.deliver(waiting, Unfenced())

    def heads(self) -> list[outbox.Waiting]:
        """Return what may be sent now."""
        with self.desk.log.transaction() as cursor:
            now = self.desk.sla.now
            return [
                head
                for name in outbox.channels(cursor, now)
                for head in outbox.heads(cursor, name, now, [], 9)
            ]

    def reports(self, *reports: DeliveryReport) -> None:
        """Let intake store reports of the provider, and escalation record them."""
        dsn = self.desk.sla.database.dsn("desk_intake")
        with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
            for each in reports:
                keep(cursor, each)
        self.records()

    def waiting_reports(self) -> list[str]:
        """Return the keys of the reports that are not recorded yet."""
        with psycopg.connect(self.desk.sla.database.owner_dsn) as owner:
            rows = owner.execute("SELECT key FROM escalation.delivery_reports")
            return [str(key) for (key,) in rows]

    def records(self) -> None:
        """Record the reports that are due."""
        log, clock = self.desk.log, self.desk.sla.clock
        with ThreadPoolExecutor(1) as threads:
            work = DeliveryReports(
                log,
                self.desk.worker,
                clock,
                threads,
                PageTestRecorder(log, clock).reported,
            )
            while work.record_next():
                pass


@pytest.fixture
def told(database: Database) -> Iterator[Told]:
    with helping_desk(database, START) as desk, open_postbox() as server:
        with psycopg.connect(database.owner_dsn) as owner:
            owner.execute(_PERSON, ("bruno", "fr"))
        desk.sla.happens(opened(1, START))
        desk.read()
        desk.walk(local("09:45"))
        desk.worker.wake()
        pages = [
            entry.event
            for entry in desk.log.history(escalation_stream(INC))
            if isinstance(entry.event, events.NotificationRequested)
            and (entry.event.kind, entry.event.person) == ("page", "bruno")
        ]
        yield Told(desk, server, pages[0])


def report(state: Any, at: datetime, reason: str = "") -> DeliveryReport:
    return DeliveryReport("k-1", state, INC, "twilio", reason, at)


def test_a_page_goes_out_with_the_minimum_of_words_in_the_readers_language(
    told: Told,
) -> None:
    told.server.status, told.server.body = 200, b'{"id": "x1"}'
    told.asks("ntfy")
    told.sends({"ntfy_url": told.server.origin}, ContactAddress("bruno-Qx7", "m-1"))

    message = json.loads(told.server.requests[-1].body)
    assert message["title"] == INC
    assert message["message"] == "P2 : on a besoin de vous : Paie: Paie en panne"
    assert [each.type for each in told.of()] == [
        "notification.requested",
        "notification.sent",
        "notification.confirmed",
    ]
    assert told.heads() == []


@dataclass(frozen=True)
class Toy:
    """A channel of a test: a module like any other."""

    traits: ClassVar = ChannelTraits(internal=True)
    missing: ClassVar[str | None] = None
    outcome: Outcome
    parcels: list[tuple[Parcel, datetime]]
    name: ChannelName = "matrix"

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Keep a parcel."""
        self.parcels.append((parcel, at))
        return self.outcome


def test_a_channel_is_one_object_that_the_sender_finds_by_its_name(told: Told) -> None:
    toy = Toy(Delivered("toy"), [])
    told.asks("matrix")
    told.sends({}, ContactAddress("anywhere", "m-7"), toy)

    contact = contact_of(toy.parcels[0][0])
    assert (contact.to, contact.method, contact.incident) == ("anywhere", "m-7", INC)
    assert contact.callback_url.startswith(f"{PUBLIC_URL}/v1/callbacks/twilio/")
    assert contact.message.urgent
    assert told.of()[-1].type == "notification.confirmed"


def test_what_fails_for_now_waits_as_long_as_its_channel_says(told: Told) -> None:
    toy = Toy(Failed("away", permanent=False), [])
    told.asks("matrix")
    attempts = 0
    while told.of()[-1].type != "notification.failed":
        told.sends({}, ContactAddress("anywhere"), toy)
        attempts += 1
        with psycopg.connect(told.desk.sla.database.owner_dsn) as owner:
            owner.execute("UPDATE escalation.outbox SET next_at = requested_at")

    assert attempts == 7  # ten minutes, not the day of a mail


@pytest.mark.parametrize(
    ("channel", "address", "reason"),
    [
        ("sms", ContactAddress("+33612345678"), "PERMANENCE_TWILIO_ACCOUNT"),
        ("ntfy", None, NO_CONTACT.reason),
    ],
)
def test_what_cannot_be_sent_says_why_at_once(
    told: Told, channel: ChannelName, address: ContactAddress | None, reason: str
) -> None:
    told.asks(channel)
    told.sends({"ntfy_url": told.server.origin}, address)

    failed = told.of()[-1]
    assert isinstance(failed, events.NotificationFailed)
    assert reason in failed.reason
    assert told.server.requests == []


@pytest.mark.parametrize("recorded", ["", "bruno@valmont.example", "b@else.example"])
def test_nothing_is_sent_to_an_address_that_is_not_the_recorded_one(
    told: Told, recorded: str
) -> None:
    """Somebody changed it in the database; what was never recorded is used."""
    log = told.desk.log
    if recorded:
        mark = fingerprint(log.vault, Address("bruno", "mail"), recorded)
        event = PersonAddressChanged(
            at=START, by="person:root", person="bruno", address="mail", fingerprint=mark
        )
        dsn = told.desk.sla.database.owner_dsn
        clock = told.desk.sla.clock
        with closing(EventLog.open(dsn, clock=clock)) as owner:
            unit = AppendUnit((owner.stored("person-bruno", 1, event),))
            with owner.transaction() as cursor:
                owner.append(cursor, [unit])
    mails = Toy(Delivered("toy"), [], "mail")
    told.asks("mail")
    told.sends({}, None, mails)

    last = told.of()[-1]
    if recorded.startswith("b@"):
        assert isinstance(last, events.NotificationFailed)
        assert last.reason == CHANGED.reason
        assert mails.parcels == []
    else:
        assert last.type == "notification.confirmed"


def sent_by_sms(told: Told) -> None:
    told.asks("sms")
    sends_sms(told)


def sends_sms(told: Told) -> None:
    told.server.status, told.server.body = 201, b'{"sid": "SM1"}'
    account = {
        "twilio_url": told.server.origin,
        "twilio_account": "AC1",
        "twilio_token": "t",
        "twilio_from": "+33757000000",
    }
    told.sends(account, ContactAddress("+33612345678"))


def test_a_report_of_the_provider_is_recorded_once(told: Told) -> None:
    sent_by_sms(told)
    now = told.desk.sla.now
    for _ in range(2):
        told.reports(report("delivered", now))
        told.reports(report("failed", now, "late"))

    delivered = told.of()[3:]
    assert [each.type for each in delivered] == ["notification.delivered"]
    assert getattr(delivered[0], "provider", "") == "twilio"


def test_a_message_may_fail_after_the_provider_accepted_it(told: Told) -> None:
    sent_by_sms(told)
    told.reports(report("failed", told.desk.sla.now, "the line was busy"))

    failed = told.of()[-1]
    assert isinstance(failed, events.NotificationFailed)
    assert (failed.reason, failed.attempts) == ("the line was busy", 1)


def test_a_report_that_is_faster_than_our_own_record_waits_for_it(told: Told) -> None:
    told.asks("sms")
    early = report("delivered", told.desk.sla.now)
    told.reports(early)
    assert [each.type for each in told.of()] == ["notification.requested"]

    sends_sms(told)
    told.desk.sla.now = local("09:46")
    told.records()

    assert told.of()[-1].type == "notification.delivered"


def test_a_report_that_cannot_be_recorded_holds_up_no_other_and_is_given_up(
    told: Told,
) -> None:
    sent_by_sms(told)
    with psycopg.connect(told.desk.sla.database.owner_dsn) as owner:
        owner.execute("UPDATE escalation.cases SET state = '{}'")
    now = told.desk.sla.now
    other = replace(report("delivered", now + timedelta(seconds=1)), key="k-2")
    with pytest.raises(LookupError):
        told.reports(report("delivered", now), other)
    told.desk.sla.now += timedelta(seconds=1)
    told.records()
    assert told.waiting_reports() == ["k-1"]

    told.desk.sla.now += WAITED_MAX
    with capture_logs() as lines:
        told.records()

    assert [each["event"] for each in lines] == ["delivery_report.given_up"]
    assert told.waiting_reports() == []


@pytest.mark.parametrize("key", ["k-2", "k-1@2-5f3a09c1"], ids=["unknown", "epoch"])
def test_a_report_about_nothing_that_is_in_the_log_is_dropped(
    told: Told, key: str
) -> None:
    sent_by_sms(told)
    before = told.entries()
    told.reports(replace(report("delivered", told.desk.sla.now), key=key))

    assert told.entries() == before
    assert told.waiting_reports() == []
