"""A desk at which one person is paged for many incidents at once."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import httpx
import psycopg

from services.escalation.bundles.admission import Admission
from services.escalation.bundles.composer import BundleComposer
from services.escalation.notifications import outbox
from services.escalation.notifications.channels.channel import (
    Channel,
    ChannelContext,
    ChannelTraits,
    contact_of,
)
from services.escalation.notifications.channels.outlets import Outlets, outlets_of
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Delivered, Outcome
from services.escalation.notifications.composer import Composer
from services.escalation.notifications.contacts import ContactAddress, Contacts
from services.escalation.notifications.dispatcher import NotificationSender
from services.escalation.notifications.recorder import DeliveryRecorder
from services.escalation.notifications.team_channels import TeamChannels
from services.escalation.rules.context import BY
from shared.domain import events
from shared.domain.events.notification import Channel as ChannelName
from shared.domain.identifiers import (
    escalation_stream,
    incident_ref,
)
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from shared.eventlog.policies import PolicyVersions
from shared.process_manager.worker import settle
from shared.settings import EscalationSettings
from tests.support.builders.on_call.parcels import SERVERS
from tests.support.builders.promises import FILE, local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.leadership import Unfenced
from tests.support.desks.watching import opened
from tests.support.servers.servers import Database

START = local("09:10")
PUBLIC_URL = "https://desk.example"
FLOOD = 12
_PERSON = """
INSERT INTO directory.people (id, name, email, language, zone, updated_at)
VALUES ('bruno', 'Bruno', 'bruno@valmont.example', 'en', 'Europe/Paris', now())
"""
BRUNO = ContactAddress("bruno-Qx7", "m-1")


@dataclass
class Kept:
    """A channel that keeps what it is given; `outcome` None: the process dies there."""

    name: ClassVar[ChannelName] = "sms"
    traits: ClassVar = ChannelTraits()
    missing: ClassVar[str | None] = None
    outcome: Outcome | None = field(default_factory=lambda: Delivered("kept"))
    parcels: list[ToContact] = field(default_factory=list)

    async def send(self, parcel: Parcel, _at: object) -> Outcome:
        """Keep a parcel."""
        self.parcels.append(contact_of(parcel))
        if self.outcome is None:
            raise asyncio.CancelledError
        return self.outcome


@dataclass
class Flood:
    """A desk at which Bruno was paged for many incidents at once."""

    desk: HelpingDesk
    requests: dict[int, events.NotificationRequested]
    policy: Policy | None = None
    """The policy that messages follow, if it is not that of the desk."""

    def asks(
        self, channel: ChannelName, numbers: Sequence[int], **other: object
    ) -> None:
        """Request the pages of these incidents by a channel."""
        for number in numbers:
            request = self.requests[number].model_copy(
                update={"channel": channel, "key": f"k-{number}", **other}
            )
            self.records(number, request)
            found = [e for e in self.entries(number) if e.event == request]
            with self.desk.log.transaction() as cursor:
                outbox.follow(cursor, found)

    def records(self, number: int, event: events.AnyEvent) -> None:
        """Record a decision of escalation about an incident."""
        with self.desk.log.transaction() as cursor:
            case = self.desk.worker.desk(cursor, incident_ref(number))
            case.record(event)
            settle(self.desk.log, cursor, case)

    def common(self, number: int) -> dict[str, Any]:
        """Return the fields of a decision about an incident at N2."""
        about = {"incident": incident_ref(number), "policy": 1, "cycle": 1}
        return about | {"at": self.desk.sla.now, "by": BY, "level": "n2"}

    def entries(self, number: int) -> list[Entry]:
        """Return what escalation recorded of an incident."""
        return list(self.desk.log.history(escalation_stream(incident_ref(number))))

    def of(self, number: int) -> list[events.AnyEvent]:
        """Return what was recorded of the page of an incident."""
        found = (entry.event for entry in self.entries(number))
        return [e for e in found if getattr(e, "key", None) == f"k-{number}"]

    def types(self, number: int) -> list[str]:
        """Return the states that the page of an incident went through."""
        return [each.type.removeprefix("notification.") for each in self.of(number)]

    def bundles(self) -> list[events.NotificationBundled]:
        """Return the bundles."""
        return [
            entry.event
            for number in self.requests
            for entry in self.entries(number)
            if isinstance(entry.event, events.NotificationBundled)
        ]

    def sends(self, *more: Channel, **settings: str) -> None:
        """Send what may leave now, in several threads, as the dispatcher does."""
        asyncio.run(self._sent(more, settings))

    async def _sent(self, more: Sequence[Channel], settings: dict[str, str]) -> None:
        read = EscalationSettings.model_validate(SERVERS | settings)
        log, clock = self.desk.log, self.desk.sla.clock
        async with httpx.AsyncClient() as client:
            whole = outlets_of(ChannelContext(read, client, client)).channels
            outlets = Outlets.of((*whole.values(), *more))
            contacts = Contacts(lambda _, __: BRUNO, outlets.traits)
            compose = self.composer(contacts, TeamChannels(traits=outlets.traits))
            with ThreadPoolExecutor(2) as threads:
                recorder = DeliveryRecorder(
                    log, self.desk.worker, clock, outlets, Admission.within
                )
                sender = NotificationSender(
                    log, recorder, clock, compose, outlets, threads
                )
                with suppress(asyncio.CancelledError):
                    async with sender.recording():
                        while heads := self.heads():
                            await asyncio.gather(
                                *(sender.deliver(each, Unfenced()) for each in heads)
                            )

    def composer(self, contacts: Contacts, teams: TeamChannels) -> BundleComposer:
        """Return what composes the messages of this desk."""
        log, versions = self.desk.log, PolicyVersions(self.desk.log)

        def policy_of(number: int) -> Policy:
            return self.policy or versions(number)

        alone = Composer(log, policy_of, PUBLIC_URL, contacts, teams)
        return BundleComposer(log, policy_of, PUBLIC_URL, contacts, teams, alone)

    def heads(self) -> list[outbox.Waiting]:
        """Return what may be sent now, besides mail."""
        with self.desk.log.transaction() as cursor:
            now = self.desk.sla.now
            return [
                head
                for name in outbox.channels(cursor, now)
                if name != "mail"
                for head in outbox.heads(cursor, name, now, [], 16)
            ]

    def waits(self, **time: float) -> None:
        """Let time pass."""
        self.desk.sla.now += timedelta(**time)


@contextmanager
def flooded_desk(database: Database, condition: str = "") -> Iterator[Flood]:
    """Open a desk at which Bruno was paged for each incident.

    `condition` is that of the step that pages, such as `unless: accepted,`.
    """
    with helping_desk(database, START, _policy(condition)) as desk:
        with psycopg.connect(database.owner_dsn) as owner:
            owner.execute(_PERSON)
        numbers = range(1, FLOOD + 1)
        desk.sla.happens(*(opened(number, START) for number in numbers))
        desk.read(batch=4)
        desk.walk(local("09:45"))
        desk.worker.wake()
        found = Flood(desk, {})
        for number in numbers:
            found.requests[number] = next(
                entry.event
                for entry in found.entries(number)
                if isinstance(entry.event, events.NotificationRequested)
                and (entry.event.kind, entry.event.person) == ("page", "bruno")
            )
        yield found


def _policy(condition: str) -> str:
    first = "- {after: 0m,  page: {who: on_call}}"
    text = FILE.read_text()
    assert first in text
    return text.replace(first, f"- {{after: 0m, {condition} page: {{who: on_call}}}}")
