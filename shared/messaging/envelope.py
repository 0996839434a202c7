"""An event as a NATS message: its stored bytes, and its place in the log as headers.

The payload is the event as stored, with personal text encrypted; with `Desk-Chain` a
reader can verify that the event follows the one it applied last. `ce-*` are CloudEvents
in binary mode, for generic consumers.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from shared.eventlog.continuity.evidence import EpochId, epoch_labelled
from shared.eventlog.log import Row

SCHEMA = "1"
"""The version of these headers; a reader accepts no other."""
SOURCE = "urn:permanence:log"

POSITION = "Desk-Position"
CHAIN = "Desk-Chain"
EPOCH = "Desk-Epoch"
"""The label of the event's epoch, 1 for the first; older versions did not write it."""
FIRST_EPOCH = "1"


class Unreadable(Exception):
    """A message on an event subject that is not an event of the desk."""


def headers_of(row: Row, epoch: str = "") -> dict[str, str]:
    """Return the headers of a stored event; `epoch` is the label of its epoch."""
    recorded_at = row.recorded_at.isoformat()
    headers = {
        "Desk-Schema": SCHEMA,
        POSITION: str(row.position),
        "Desk-Stream": row.stream,
        "Desk-Version": str(row.version),
        "Desk-Type": row.type,
        "Desk-Recorded-At": recorded_at,
        CHAIN: row.chain.hex(),
        EPOCH: epoch or FIRST_EPOCH,
        "ce-specversion": "1.0",
        "ce-id": f"{epoch}:{row.position}" if epoch else str(row.position),
        "ce-source": SOURCE,
        "ce-type": row.type,
        "ce-subject": row.stream,
        "ce-time": recorded_at,
        "ce-datacontenttype": "application/json",
    }
    if row.command_id is not None:
        headers["Desk-Command-Id"] = str(row.command_id)
    return headers


def row_of(headers: Mapping[str, str] | None, payload: bytes) -> Row:
    """Return the stored event in a message. Raises `Unreadable`."""
    try:
        if headers is None or headers["Desk-Schema"] != SCHEMA:
            raise Unreadable("an event without the headers this version reads")
        command_id = headers.get("Desk-Command-Id")
        return Row(
            position=int(headers[POSITION]),
            stream=headers["Desk-Stream"],
            version=int(headers["Desk-Version"]),
            type=headers["Desk-Type"],
            state=payload,
            recorded_at=datetime.fromisoformat(headers["Desk-Recorded-At"]),
            command_id=UUID(command_id) if command_id else None,
            chain=bytes.fromhex(headers[CHAIN]),
        )
    except (KeyError, ValueError) as error:
        raise Unreadable(f"an event with unreadable headers: {error}") from error


def epoch_of(headers: Mapping[str, str] | None) -> EpochId | None:
    """Return the epoch of the event in a message; None if an older version sent it.

    Raises `Unreadable`.
    """
    written = (headers or {}).get(EPOCH)
    try:
        return epoch_labelled(written) if written is not None else None
    except ValueError as error:
        raise Unreadable(f"an event of no epoch: {error}") from error
