"""Short messages to people's own contacts: to which address, with how many words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.escalation.notifications.channels.channel import ChannelTraits
from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.parcel import ToContact
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recall import Person, Recalled, person
from services.escalation.notifications.staff_notices import author_of, for_staff
from services.escalation.rules.requests import STAFF
from shared.contact_methods.fingerprints import checked_values
from shared.contact_methods.store import ContactValue
from shared.database.cursors import Cursors
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.domain.events.event import FORGOTTEN
from shared.domain.events.notification import Channel as ChannelName
from shared.domain.policy.document import Policy
from shared.i18n.formats import Reader, language_of
from shared.i18n.short_messages import ShortMessage, summary_of
from shared.i18n.staff_notices import Routed, StaffNotice
from shared.security.callback_links import (
    CALLBACK_VALID,
    PURPOSE,
    CallbackLink,
    callback_token,
)
from shared.vault.vault import Vault

GONE = "that person was removed from the desk: nothing is sent to them"
METHOD_GONE = "the contact method was removed"
NO_ADDRESS = "the directory has no address of that person: import them"
NO_CONTACT = Failed(
    "that person has no address at this channel: they add one to their contact methods",
    permanent=True,
)
CHANGED = Failed(
    "the address was changed in the database without a record in the log: an "
    "administrator runs `permanence audit addresses`",
    permanent=True,
)
USERS_BY_MAIL = Failed("users are notified by mail only", permanent=True)


class ContactAddress(NamedTuple):
    """An address of a person at a channel; `method` is the id of the contact method."""

    to: str
    method: str | None = None
    is_verified: bool = True
    """Whether a code proved that it reaches the person; others get the minimum."""


Methods = Mapping[str, ContactValue]
"""The contact methods of a person by id, with the values that the directory has now."""
AddressOf = Callable[[Methods, Waiting], ContactAddress | None]


def address_of_method(methods: Methods, waiting: Waiting) -> ContactAddress | None:
    """Return the address of the contact method that a message goes to, if any."""
    found = methods.get(waiting.method)
    if found is None or found.kind != waiting.channel:
        return None
    return ContactAddress(found.value, found.method, found.verified_at is not None)


class Links(NamedTuple):
    """Links in a message, each "" without an address of the desk."""

    incident: str = ""
    take: str = ""
    """Where the person takes the incident without signing in."""


TraitsOf = Callable[[ChannelName], ChannelTraits]


def default_traits(_: ChannelName) -> ChannelTraits:
    """Return the traits of a channel that says nothing of itself."""
    return ChannelTraits()


CallbackOf = Callable[[str, Waiting], str]
"""Returns the link at which the provider reports the result of a message, or ""."""


def callback_links(vault: Vault, public_url: str | None) -> CallbackOf:
    """Return what makes the links at which providers report; "" without an address."""

    def link(message_key: str, waiting: Waiting) -> str:
        until = waiting.requested_at + CALLBACK_VALID
        message = CallbackLink(waiting.incident, message_key, waiting.person, until)
        return callback_url(vault, public_url, message)

    return link


def callback_url(vault: Vault, public_url: str | None, link: CallbackLink) -> str:
    """Return the address at which a provider reports of a message, or ""."""
    key = vault.key_for(PURPOSE)
    if not public_url or key is None:
        return ""
    token = callback_token(key, link)
    return f"{public_url.rstrip('/')}/v1/callbacks/twilio/{token}"


def contact_value(methods: Methods, method: str) -> ContactValue | Failed:
    """Return where a message to a person goes, as the directory has it now."""
    found = methods.get(method)
    if found is not None:
        return CHANGED if found.is_changed else found
    why = NO_ADDRESS if method == DIRECTORY_MAIL else METHOD_GONE
    return Failed(why, permanent=True)


def mail_reader(vault: Vault, cursor: Cursors, id_: str) -> Person | Failed:
    """Return somebody with the address that was compared, or why nothing is sent.

    The address is empty if the directory has none.
    """
    reader = person(cursor, id_)
    target = checked_values(vault, cursor, [id_])[id_].get(DIRECTORY_MAIL)
    if reader is None:
        return Failed(NO_ADDRESS, permanent=False)  # people may be imported later
    if target is not None and target.is_changed:
        return CHANGED
    address = target.value if target else ""
    return replace(reader, mailbox=Mailbox(address, reader.mailbox.name))


@dataclass(frozen=True)
class Contacts:
    """How people are reached at channels other than mail, which have `traits`."""

    address_of: AddressOf = address_of_method
    traits: TraitsOf = default_traits
    callback_link: CallbackOf = lambda _, __: ""

    def parcel(
        self,
        key: str,
        waiting: Waiting,
        of: Recalled,
        address: ContactAddress | None,
        reader: Person | None,
        links: Links,
    ) -> ToContact | Failed:
        """Return the message to a person, or why it cannot be sent.

        `reader` is None if the directory has no mailbox of that person.
        """
        if waiting.kind not in STAFF:
            return USERS_BY_MAIL
        if address is None:
            return NO_CONTACT
        return ToContact(
            key,
            waiting.channel,
            address.to,
            self._message(waiting, of, reader, links, full=address.is_verified),
            incident=waiting.incident,
            method=address.method,
            callback_url=self.callback_link(key, waiting),
        )

    def _message(
        self,
        waiting: Waiting,
        of: Recalled,
        reader: Person | None,
        links: Links,
        *,
        full: bool,
    ) -> ShortMessage:
        zone, fallback = of.policy.desk.timezone, of.policy.desk.languages[0]
        by = reader.as_reader(zone) if reader else Reader(fallback, zone)
        language = language_of(by.language, fallback)
        notice = for_staff(of, language, links.incident)
        stays_inside = full and is_internal(waiting.channel, of.policy, self.traits)
        title = title_of(notice, of, is_internal=stays_inside)
        is_page = waiting.kind == "page"
        length_max = self.traits(waiting.channel).length_max
        return ShortMessage(
            waiting.incident,
            shortened(summary_of(notice, by, fallback, title), length_max),
            language,
            is_page,
            links.incident,
            links.take if is_page else "",
        )


def is_internal(name: ChannelName, policy: Policy, traits: TraitsOf) -> bool:
    """Return whether a channel stays inside, by the policy or by its own default."""
    rule = policy.channels.get(name)
    return rule.internal if rule else traits(name).internal


def shortened(text: str, length_max: int) -> str:
    """Return a text, cut if it is longer than a channel takes."""
    return text if len(text) <= length_max else f"{text[: length_max - 1]}…"


def title_of(notice: StaffNotice, of: Recalled, *, is_internal: bool) -> str:
    """Return the title that a message may repeat, "" if it may repeat none.

    To an outside provider only a title that monitoring wrote may go.
    """
    title = str(getattr(notice, "title", ""))
    if title == FORGOTTEN:
        return ""
    if is_internal:
        return title
    from_monitoring = author_of(of.history[:1]) == "monitoring"
    repeats = from_monitoring and not of.has_title_of_the_desk
    return title if repeats and not isinstance(notice, Routed) else ""
