"""Every name that crosses NATS, in one place.

No incident and no version in a subject: a filter must not break when an event gains
a field, and metrics by subject must stay few.
"""

EVENTS_STREAM = "DESK_EVENTS"
SIGNALS_STREAM = "DESK_SIGNALS"

EVENTS = "desk.event.>"
SIGNALS = "desk.signal.>"
COMMANDS = "desk.command.>"

LAST_SEEN_BUCKET = "desk_last_seen"
LAST_SEEN_STREAM = f"KV_{LAST_SEEN_BUCKET}"
LAST_SEEN = f"$KV.{LAST_SEEN_BUCKET}.log"
"""The key `log` of the bucket, as clients of key-value buckets address it."""

SIGNALS_CONSUMER = "intake"

READERS_CONSUMER = "readers"
FEED = "desk.feed.events"
"""Where the consumer `readers` delivers `DESK_EVENTS`, to every reader alike."""


def event(kind: str) -> str:
    """Return the subject of an event type: `incident.opened` → `desk.event.…`."""
    return f"desk.event.{kind}"


def commands_about(aggregate: str) -> str:
    """Return the subjects of all commands about `aggregate`, for its owner."""
    return f"desk.command.{aggregate}.>"


def command(aggregate: str, verb: str) -> str:
    """Return the subject on which the owner of `aggregate` takes `verb`."""
    return f"desk.command.{aggregate}.{verb}"


def signal(source: str) -> str:
    """Return the subject on which the monitoring source `source` publishes."""
    return f"desk.signal.{source}"


def inbox_prefix(user: str) -> str:
    """Return the prefix of the subjects on which only `user` receives answers."""
    return f"_INBOX_{user}"
