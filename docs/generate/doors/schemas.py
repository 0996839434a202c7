"""The schemas that doors name: of what they take, and of what they answer."""

from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from docs.generate.doors import answers
from docs.generate.doors.door import Schema
from services.intake.external_records.schemas import PutExternalRecord
from services.intake.policy.windows import Announce, Withdraw
from services.intake.records.signal import Action, Signal
from services.intake.signals.body import ARRAY_MAX
from services.intake.signals.formats import ADAPTERS, MAPPED
from services.intake.signals.formats.native import LINKS_MAX
from services.intake.signals.outcomes import StoredOutcome
from services.intake.source_keys.schemas import CreatedKey, CreateKey
from shared.attachments.schemas import AttachmentAnswer
from shared.contacts.form import Form, ReportAnswer
from shared.contacts.receipt import ContactAnswer
from shared.domain.commands.contact import Contact, Report, RetryLetter
from shared.domain.commands.quarantine import (
    Discard,
    Quarantined,
    QuarantinedWhole,
    QuarantinePage,
    RetryMany,
    Tried,
    TriedMany,
)
from shared.messaging.commands import ProblemDetails

REFERENCE = "#/components/schemas/{model}"
_MODELS: tuple[type[BaseModel], ...] = (
    *answers.Answer.__subclasses__(),
    Announce,
    PutExternalRecord,
    CreateKey,
    CreatedKey,
    Withdraw,
    ProblemDetails,
    Contact,
    AttachmentAnswer,
    ContactAnswer,
    Form,
    Report,
    ReportAnswer,
    Discard,
    Quarantined,
    QuarantinedWhole,
    QuarantinePage,
    RetryLetter,
    RetryMany,
    Tried,
    TriedMany,
)
TEXT: Schema = {"type": "string", "minLength": 1}
ANYTHING: Schema = {}
OBJECT: Schema = {"type": "object"}
FORMATS: Schema = {"type": "string", "enum": sorted({*ADAPTERS, MAPPED})}


def ref(name: str) -> Schema:
    """Return a reference to one of the components."""
    return {"$ref": REFERENCE.format(model=name)}


def components() -> dict[str, Any]:
    """Return all of them, by name."""
    _, made = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template=REFERENCE
    )
    found: dict[str, Any] = dict(made["$defs"])
    found["StoredOutcome"] = TypeAdapter(StoredOutcome).json_schema(
        ref_template=REFERENCE
    )
    found["Event"] = _event()
    found["Events"] = {
        "oneOf": [
            ref("Event"),
            {
                "type": "array",
                "items": ref("Event"),
                "minItems": 1,
                "maxItems": ARRAY_MAX,
            },
        ]
    }
    return found


def _event() -> dict[str, Any]:
    """Return our own format: a signal as it is sent, with what is for people."""
    signal = Signal.model_json_schema(ref_template=REFERENCE)
    fields = {
        **signal["properties"],
        "action": {"type": "string", "enum": [*get_args(Action)]},
        "dedup_key": {"anyOf": [signal["properties"]["dedup_key"], {"type": "null"}]},
        "source": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "details": {"anyOf": [OBJECT, {"type": "null"}]},
        "links": {
            "anyOf": [{"type": "array", "maxItems": LINKS_MAX}, {"type": "null"}]
        },
    }
    return {
        "type": "object",
        "description": "One thing that a monitoring source says.",
        "properties": fields,
        "required": ["action", "title"],
        "additionalProperties": False,
    }
