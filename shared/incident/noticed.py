"""How an incident came to be known: by a user, by monitoring, or to the desk itself."""

from typing import NamedTuple

from shared.events.incident import IncidentContacted, IncidentOpened
from shared.policy.targets import Channel, ReportKind


class Noticed(NamedTuple):
    """Who noticed it first, of whom a user outweighs all; and on which channel.

    What is None is not known, or not so: monitoring uses no channel.
    """

    kind: ReportKind | None = None
    channel: Channel | None = None
    """On which the first user was in touch."""


UNTOLD = Noticed()
"""Nothing is known of how it came to be known."""


def opened_by(event: IncidentOpened) -> Noticed:
    """Return how an incident is known when it is taken on record."""
    if event.reporter:
        return Noticed("user", event.channel)
    machine = event.origin == "monitoring" or event.split_signals
    return Noticed("monitoring" if machine else "desk")


def after_contact(noticed: Noticed, event: IncidentContacted) -> Noticed:
    """Return how it is known after somebody was in touch: a user's report stays."""
    if event.direction == "outbound" or event.unconfirmed:
        return noticed
    return Noticed("user", noticed.channel or event.channel)
