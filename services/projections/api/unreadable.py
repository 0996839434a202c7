"""What an answer about one incident says of the events that it could not use."""

from collections.abc import Iterable
from typing import Self

from services.projections.api.answers import Answer
from services.projections.sight import Sight
from shared.eventlog.unreadable import UnreadableEvent


class UnreadableView(Answer):
    """An event that cannot be read, or cannot have happened after those before it.

    What follows from it is left out; the other streams about the incident go on.
    """

    position: int
    stream: str
    type: str
    why: str | None
    """Null for users: the desk knows it."""
    later: int
    """How many later events of its stream are left out with it."""
    skipped: bool
    """The service that decides in its stream leaves it out, too; later ones count."""

    @classmethod
    def of(cls, event: UnreadableEvent) -> Self:
        """Return the view of an event for the desk."""
        return cls.model_validate(event)

    def for_client(self) -> Self:
        """Return what users see of it."""
        return self.model_copy(update={"why": None})


def unreadable_views(
    unreadable: Iterable[UnreadableEvent], sight: Sight
) -> list[UnreadableView]:
    """Return the views of these events for a reader with this sight."""
    views = [UnreadableView.of(event) for event in unreadable]
    return views if sight.internal else [each.for_client() for each in views]
