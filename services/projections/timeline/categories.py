"""What a timeline can be limited to: messages, notes, decisions or escalations.

The category of an event follows from its type, except for a pause: that of the reason
`user` asks a question, which is a message.
"""

from typing import Literal, get_args

from shared.domain.events import EVENT_TYPES

Category = Literal["messages", "notes", "decisions", "escalations"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
PAUSED = "incident.paused"
_NOTES = frozenset({"incident.noted", "incident.note_added", "incident.solution_noted"})
_MESSAGES = frozenset({"incident.contacted", "incident.informed"})
_ESCALATIONS = ("escalation.", "handover.")
_MACHINES = frozenset(
    {
        "incident.signalled",
        "incident.recovered",
        "incident.flapping_started",
        "incident.flapping_ended",
        "incident.source_acknowledged",
        "incident.source_noted",
    }
)


def category_of(kind: str, *, asks: bool = False) -> Category | None:
    """Return the category of an event type; `asks` if it puts a question to a user.

    None for what a machine did and for promises: only the whole timeline shows those.
    """
    if kind in _NOTES:
        return "notes"
    if kind in _MESSAGES or kind.startswith("notification."):
        return "messages"
    if kind.startswith(_ESCALATIONS):
        return "escalations"
    if kind.startswith("incident.") and kind not in _MACHINES:
        return "messages" if asks else "decisions"
    return None


def kinds_of(category: Category) -> list[str]:
    """Return the event types of which some or all events are in a category."""
    return sorted(
        kind
        for kind in EVENT_TYPES
        if category == category_of(kind)
        or (kind == PAUSED and category == category_of(kind, asks=True))
    )
