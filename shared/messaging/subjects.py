"""All NATS subjects and names, in one place.

Subjects contain neither incidents nor versions: a filter must not break when an event
gains a field, and there must be few metrics by subject.
"""

EVENTS_STREAM = "DESK_EVENTS"
SIGNALS_STREAM = "DESK_SIGNALS"

EVENTS = "desk.event.>"
SIGNALS = "desk.signal.>"
COMMANDS = "desk.command.>"

LAST_SEEN_BUCKET = "desk_last_seen"
LAST_SEEN_STREAM = f"KV_{LAST_SEEN_BUCKET}"
LAST_SEEN = f"$KV.{LAST_SEEN_BUCKET}.log"
"""The subject of the key `log` in the key-value bucket."""

SHARED_USER = "@monitor"
"""The prefix that the server adds to the source of a signal from the user `monitor`.

Names of sources cannot contain `@`, so a source cannot publish there.
"""
SOURCES_ACCOUNT = "SOURCES"
"""The NATS account of sources."""
SYSTEM_ACCOUNT = "SYS"
CONNECTIONS = "desk.system.connections"
"""The subject on which intake asks all servers for their connections."""
END_CONNECTIONS = "desk.system.end.*"
AUTHORIZATION = "$SYS.REQ.USER.AUTH"
"""The subject on which nats-server asks who may connect."""

SIGNALS_CONSUMER = "intake"

READERS_CONSUMER = "readers"
FEED = "desk.feed.events"
"""The subject on which the consumer `readers` delivers `DESK_EVENTS` to all readers."""

PRESENCE = "desk.presence"
"""The subject on which processes of projections tell each other who is present."""

_INBOXES = ("_INBOX.", "_INBOX_", "_R_.")
"""The prefixes of inboxes: of clients without a prefix of their own, and of others.

The last one is the server's: it sends the answer on to an account that asked another
one, wherever in that account the sender said.
"""


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


def end_connection(server_id: str) -> str:
    """Return the subject on which intake asks a server to close a connection."""
    return END_CONNECTIONS.replace("*", server_id)


def source_inbox_prefix(source: str) -> str:
    """Return the prefix of the subjects on which a source receives answers.

    A dot in its name would make it part of the prefix of another source.
    """
    return inbox_prefix(source.replace(".", "/"))


def inbox_prefix(user: str) -> str:
    """Return the prefix of the subjects on which only `user` receives answers."""
    return f"_INBOX_{user}"


def is_inbox(subject: str) -> bool:
    """Return whether answers may be sent there: an inbox, or no subject at all."""
    return not subject or subject.startswith(_INBOXES)
