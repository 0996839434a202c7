"""Messages to the channels of teams: where they go, and what they say.

Nobody answers there: such a message has no link that takes an incident, since who opens
it would be unknown. It opens the incident, for which one has to sign in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.escalation.notifications.channels.parcel import ToContact
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import (
    TraitsOf,
    default_traits,
    is_internal,
    shortened,
    title_of,
)
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recall import Recalled
from services.escalation.notifications.staff_notices import for_staff, service_name
from shared.domain import events
from shared.domain.policy.document import Policy
from shared.i18n.formats import language_of
from shared.i18n.short_messages import ShortMessage, team_summary

NOT_IN_POLICY = Failed(
    "the policy of the incident does not have this channel of a team", permanent=True
)
NO_ADDRESS = Failed(
    "the address of the team's channel is not set: add it to PERMANENCE_TEAM_CHANNELS",
    permanent=True,
)


@dataclass(frozen=True)
class TeamChannels:
    """The channels of teams; `addresses` are those that are secrets, by name."""

    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)
    traits: TraitsOf = default_traits

    def parcel(
        self, key: str, waiting: Waiting, of: Recalled, url: str
    ) -> ToContact | Failed:
        """Return the message about a page, or that somebody took its incident.

        Only an internal channel gets their name.
        """
        to = self.address_of(of.policy, waiting)
        if isinstance(to, Failed):
            return to
        language = language_of(None, of.policy.desk.languages[0])
        stays_inside = is_internal(waiting.channel, of.policy, self.traits)
        is_page = isinstance(of.cause, events.EscalationPaged)
        title = title_of(for_staff(of, language, url), of, is_internal=stays_inside)
        service = service_name(of, language)
        summary = team_summary(
            of.incident.priority,
            f"{service}: {title}" if title else service,
            language,
            is_taken=not is_page,
            taker=of.about if stays_inside else "",
        )
        message = ShortMessage(
            waiting.incident,
            shortened(summary, self.traits(waiting.channel).length_max),
            language,
            urgent=is_page and not getattr(of.cause, "quiet", False),
            url=url,
            is_silent=not is_page,
        )
        return self.addressed(key, waiting, to, message)

    def addressed(
        self, key: str, waiting: Waiting, to: str, message: ShortMessage
    ) -> ToContact:
        """Return a message as it is sent to an address."""
        return ToContact(
            key, waiting.channel, to, message, waiting.incident, is_of_team=True
        )

    def address_of(self, policy: Policy, waiting: Waiting) -> str | Failed:
        """Return where a message to the channel of a team goes, or why it cannot."""
        rule = policy.team_channel(waiting.team_channel)
        if rule is None or rule.channel != waiting.channel:
            return NOT_IN_POLICY
        return rule.to or self.addresses.get(waiting.team_channel) or NO_ADDRESS
