"""What a message was about, for the lines that only name its key.

That it left, was taken or failed is said in words: which one, to whom, by what.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Cursor

from services.projections.timeline.line import Line
from services.projections.timeline.store import LINES

REQUESTED = "notification.requested"
ABOUT = ("kind", "person", "channel")
WENT = frozenset({"notification.sent", "notification.confirmed", "notification.failed"})
"""What is told of a message by its key alone."""
_ASKED_FOR = """
SELECT what FROM {}.{}
WHERE incident = %s AND kind = %s AND what ->> 'key' = ANY(%s)
"""

Messages = Mapping[str, Mapping[str, Any]]
"""By key: what is known of a message since it was requested."""


def messages_of(requested: Iterable[Mapping[str, Any]]) -> Messages:
    """Return the messages that requests tell of."""
    return {
        what["key"]: {name: what[name] for name in ABOUT if name in what}
        for what in requested
    }


def messages_in(
    cursor: Cursor[tuple[Any, ...]], schema: str, found: Sequence[Line]
) -> Messages:
    """Return the messages that lines of one incident are about."""
    keys = [line.what["key"] for line in found if line.kind in WENT]
    if not keys:
        return {}
    asked = (found[0].incident, REQUESTED, keys)
    rows = cursor.execute(_ASKED_FOR.format(schema, LINES), asked)
    return messages_of(what for (what,) in rows)


def told_of(
    kind: str, what: Mapping[str, Any], messages: Messages
) -> Mapping[str, Any]:
    """Return an event's fields with those of the message it is about."""
    known = messages.get(what["key"]) if kind in WENT else None
    return what if known is None else {**known, **what}
