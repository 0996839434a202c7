"""Records what was decided on a case by a command, or about what left the desk."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Cursor

from shared.append import Member, Recorded
from shared.casework.cases import Saved, save
from shared.casework.casework import Case, Desk, Known
from shared.event_log import EventLog
from shared.log_errors import StaleVersion

_VERSIONS = """
SELECT stream, coalesce(max(originator_version), 0)
FROM unnest(%s::text[]) AS stream LEFT JOIN log.events ON originator_id = stream
GROUP BY stream
"""


class Behind(Exception):
    """The log holds more about the incident than was read: look again in a moment."""


def require_read(
    cursor: Cursor[tuple[Any, ...]], desk: Desk[Case, Known], streams: Sequence[str]
) -> None:
    """Raise `Behind` where the case is not up to the log in these streams."""
    for stream, version in cursor.execute(_VERSIONS, (list(streams),)):
        if desk.versions.get(stream, 0) < version:
            raise Behind(f"{stream} is at {version}")


def settle(
    log: EventLog,
    cursor: Cursor[tuple[Any, ...]],
    desk: Desk[Case, Known],
    command_id: UUID | None = None,
    digest: bytes = b"",
    expects: Mapping[str, int] | None = None,
) -> Recorded:
    """Write the case and append what was decided on it, as the transaction's last acts.

    `expects` names streams of others that must not have moved on since they were read.
    Raises `StaleVersion` where another process was first.
    """
    if desk.case is None:
        raise LookupError(f"nothing is known of {desk.incident}")
    state = desk.work.adapter.dump_json(desk.case)
    saved = Saved(desk.incident, desk.next_at(), desk.versions, state)
    stored = tuple(log.stored(*decision, command_id) for decision in desk.decided)
    save(cursor, desk.work.schema, [saved])
    member = Member(stored, command_id, digest, expects or {})
    (outcome,) = log.append(cursor, [member])
    if not isinstance(outcome, Recorded):
        raise StaleVersion(f"{desk.incident} moved on")
    return outcome
