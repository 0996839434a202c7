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

SHARED_USER = "@monitor"
"""What the server puts before the source of a signal that the user `monitor` sends.

No name of a source has this sign, so no source can send there.
"""
SOURCES_ACCOUNT = "SOURCES"
"""The account of NATS that sources are in."""
SYSTEM_ACCOUNT = "SYS"
CONNECTIONS = "desk.system.connections"
"""Where intake asks all servers for their connections."""
END_CONNECTIONS = "desk.system.end.*"
AUTHORIZATION = "$SYS.REQ.USER.AUTH"
"""Where nats-server asks who may connect."""

SIGNALS_CONSUMER = "intake"

READERS_CONSUMER = "readers"
FEED = "desk.feed.events"
"""Where the consumer `readers` delivers `DESK_EVENTS`, to every reader alike."""

_INBOXES = ("_INBOX.", "_INBOX_")
"""How inboxes begin: of clients that were told no prefix, and of all others."""


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
    """Return the subject on which intake has a server close a connection."""
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
    """Tell whether answers may go there, or nowhere; nothing else is listened to."""
    return not subject or subject.startswith(_INBOXES)
