"""What another system told of a record, as an event. Pure."""

from datetime import datetime

from services.intake.external_records.schemas import PutExternalRecord
from shared.domain.events.event import Actor
from shared.domain.events.external_record import ExternalRecordPut
from shared.domain.external_record import SOURCE, ExternalRecord
from shared.domain.refusal import Refused


def put(
    command: PutExternalRecord,
    ref: str,
    record: ExternalRecord | None,
    at: datetime,
    by: Actor,
) -> ExternalRecordPut | None:
    """Return that the record was put; None if all of it was told before.

    `record` is what is known of it until now. Its words are encrypted with the key of
    the sender. Raises `Refused` if it is the record of another source.
    """
    if record is not None:
        _require_own(record, by)
        told = {name: getattr(record, name) for name in PutExternalRecord.model_fields}
        if command.model_dump() == told:
            return None
    keeper = record.kept_by if record and not by.startswith(SOURCE) else None
    return ExternalRecordPut(
        at=at, by=by, whose=by, record=ref, kept_by=keeper, **command.model_dump()
    )


def _require_own(record: ExternalRecord, by: Actor) -> None:
    """Refuse that a source overwrites the record of another; people may."""
    if by.startswith(SOURCE) and record.kept_by not in (None, by):
        raise Refused(
            f"{record.ref} is kept by another source: use the key of that one",
            "role",
        )
