"""What shows that somebody has heard from the desk: a delivery, or a person's word.

Pure. A message is delivered once the other side accepted it. Before that, and if it
fails, nobody has heard anything.
"""

from collections.abc import Collection, Container
from typing import NamedTuple

from shared.domain import events


def is_delivered(keys: Container[str], event: events.AnyEvent) -> bool:
    """Tell whether one of these messages was delivered."""
    arrived = (events.NotificationConfirmed, events.NotificationDelivered)
    return isinstance(event, arrived) and event.key in keys


def is_spoken(event: events.AnyEvent, reporters: Collection[str]) -> bool:
    """Tell whether an agent records that they told one of the users themselves.

    Of an incident that nobody reported, who was told is such a user.
    """
    return (
        isinstance(event, events.IncidentContacted)
        and event.direction == "outbound"
        and not event.abandoned
        and (event.person in reporters or not reporters)
    )


class OpenQuestion(NamedTuple):
    """A question to the users that none of them has received yet."""

    version: int
    """The version of its pause in the stream of the incident."""
    keys: tuple[str, ...] = ()
    """The messages with it."""

    def after(self, event: events.AnyEvent) -> "OpenQuestion":
        """Return it after an event, which may request a message with it."""
        match event:
            case events.NotificationRequested(
                kind="question", cause_version=self.version
            ):
                return self._replace(keys=(*self.keys, event.key))
            case _:
                return self

    def is_received_by(
        self, event: events.AnyEvent, reporters: Collection[str]
    ) -> bool:
        """Tell whether an event shows that one of the users has received it."""
        return is_delivered(self.keys, event) or is_spoken(event, reporters)
