"""Composes the message about a bundle: which incidents wait, and one link for all.

It names references and the highest priority, and no title: what one message says about
several incidents has to fit on the screen of a phone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import (
    CHANGED,
    GONE,
    NO_CONTACT,
    Contacts,
    contact_value,
    shortened,
)
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recall import person
from services.escalation.notifications.team_channels import TeamChannels
from services.escalation.process import BOOKMARK
from services.escalation.rules.context import PolicyOf
from shared.bundles import RecordedBundle, bundle_link_to, bundle_named
from shared.contact_methods.fingerprints import checked_values
from shared.database.cursors import Cursors
from shared.domain.events import is_incident_event
from shared.domain.identifiers import bundling_incident, incident_stream
from shared.domain.incident import replay
from shared.domain.policy.document import Policy
from shared.domain.policy.priorities import Priority
from shared.eventlog.epochs import read_epochs
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_commands import unskipped
from shared.i18n.catalog import Language
from shared.i18n.formats import language_of
from shared.i18n.short_messages import ShortMessage, bundle_summary
from shared.security.rights import is_removed
from shared.security.signed_links import BUNDLE_LINKS_PURPOSE, token_of


@dataclass(frozen=True)
class BundleComposer:
    """Composes messages about bundles, and others by `alone`.

    `public_url` is where people open the desk, or "".
    """

    log: EventLog
    policy_of: PolicyOf
    public_url: str
    contacts: Contacts
    team_channels: TeamChannels
    alone: Callable[[Sequence[Waiting]], Sequence[Parcel | Failed]]

    def __call__(self, messages: Sequence[Waiting]) -> list[Parcel | Failed]:
        """Return each message, or why it cannot be sent. Blocks.

        All or none: it raises what goes wrong with one of them.
        """
        alone = iter(self.alone([each for each in messages if not each.bundle]))
        return [
            self._together(each) if each.bundle else next(alone) for each in messages
        ]

    def _together(self, leader: Waiting) -> ToContact | Failed:
        """Return the message for the bundle of a page, or why it cannot be sent."""
        policy = self.policy_of(leader.policy)
        with self.log.transaction() as cursor:
            bundle = bundle_named(self.log, cursor, leader.bundle)
            if bundle is None:
                raise LookupError(f"the log does not contain {leader.bundle}")
            waiting = self._by_priority(cursor, bundle)
            key = read_epochs(cursor).key(leader.bundle, bundle.position)
            if leader.team_channel:
                return self._to_team(leader, key, waiting, policy)
            to = [leader.person]
            methods = checked_values(self.log.vault, cursor, to)[leader.person]
            contact = self.contacts.address_of(methods, leader)
            reader = person(cursor, leader.person)
            is_gone = is_removed(cursor, leader.person)
        if is_gone:
            return Failed(GONE, permanent=True)
        if contact_value(methods, leader.method) is CHANGED:
            return CHANGED
        if contact is None:
            return NO_CONTACT
        language = language_of(
            reader.language if reader else None, policy.desk.languages[0]
        )
        return ToContact(
            key,
            leader.channel,
            contact.to,
            self._message(leader, waiting, language, self._link(bundle)),
            incident=bundling_incident(leader.bundle),
            method=contact.method,
            callback_url=self.contacts.callback_link(key, leader),
        )

    def _to_team(
        self,
        leader: Waiting,
        key: str,
        waiting: tuple[Priority, Sequence[str]],
        policy: Policy,
    ) -> ToContact | Failed:
        """Return the message to the channel of a team: nobody is known to read it."""
        to = self.team_channels.address_of(policy, leader)
        if isinstance(to, Failed):
            return to
        language = language_of(None, policy.desk.languages[0])
        message = self._message(leader, waiting, language, self.public_url)
        return self.team_channels.addressed(key, leader, to, message)

    def _message(
        self,
        leader: Waiting,
        waiting: tuple[Priority, Sequence[str]],
        language: Language,
        link: str,
    ) -> ShortMessage:
        """Return the message to a person, or to a team, with its link."""
        priority, refs = waiting
        of_team = bool(leader.team_channel)
        summary = bundle_summary(priority, refs, language, is_of_team=of_team)
        line = shortened(summary, self.contacts.traits(leader.channel).length_max)
        return ShortMessage(
            "",
            line,
            language,
            urgent=True,
            url=link if of_team else "",
            accept_url="" if of_team else link,
            is_bundle=not of_team,
        )

    def _by_priority(
        self, cursor: Cursors, bundle: RecordedBundle
    ) -> tuple[Priority, Sequence[str]]:
        """Return the highest priority then, and the incidents, the highest first.

        Those that cannot be read come last. Raises what is wrong if none can.
        """
        refs = sorted({each.incident for each in bundle.event.members})
        found: list[tuple[Priority, str]] = []
        failed: dict[str, Exception] = {}
        for ref in refs:
            try:
                found.append((self._priority(cursor, ref, bundle.position), ref))
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 # it concerns this incident only
                failed[ref] = error
        if not found:
            raise failed[refs[0]]
        found.sort()
        return found[0][0], [*(ref for _, ref in found), *failed]

    def _priority(self, cursor: Cursors, ref: str, upto: int) -> Priority:
        past = unskipped(self.log, cursor, BOOKMARK, [incident_stream(ref)], upto)
        incident = replay(filter(is_incident_event, (each.event for each in past)))
        if incident is None:
            raise LookupError(f"the log does not contain {ref}")
        return incident.priority

    def _link(self, bundle: RecordedBundle) -> str:
        """Return the link by which all pages are taken, or ""."""
        key = self.log.vault.key_for(BUNDLE_LINKS_PURPOSE)
        if not self.public_url or key is None:
            return ""
        return f"{self.public_url}/take-all/{token_of(key, bundle_link_to(bundle))}"
