"""The doors at which people ask intake, with their tokens."""

from collections.abc import Mapping, Sequence

from docs.generate.doors.door import JSON, Door, Key, header, query
from docs.generate.doors.schemas import TEXT, ref
from services.intake.records.signal import DEDUP_KEY_MAX
from services.intake.signals.outcomes import PAGE_MAX
from shared.domain.commands.quarantine import QuarantineListing
from shared.i18n.catalog import LANGUAGES

_TOKEN: Sequence[Key] = ("token",)
_NUMBER = {"id": {"type": "string", "pattern": r"^[0-9]{1,18}$"}}
_COMMANDED = (400, 409, 413, 415, 422, 429)
_INSTANT = {"type": "string", "format": "date-time"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 128}
_FILE = {"type": "string", "format": "binary"}
_COUNT = {"type": "integer", "minimum": 1}
_DEDUP_KEY = {"type": "string", "minLength": 1, "maxLength": DEDUP_KEY_MAX}

FOR_PEOPLE: Mapping[tuple[str, str], Door] = {
    ("POST", "/v1/contacts"): Door(
        says="Take a contact, such as a call: it opens an incident, or belongs to one.",
        tag="contacts",
        keys=_TOKEN,
        answers={201: ref("ContactAnswer")},
        body={JSON: ref("Contact")},
        refused=(*_COMMANDED, 404, 412),
        asked=(header("Idempotency-Key", TEXT), header("If-Match", TEXT)),
    ),
    ("POST", "/v1/incidents/{ref}/attachments"): Door(
        says="Attach a file: as a form with the field `file`, or as the plain body.",
        tag="attachments",
        keys=_TOKEN,
        answers={201: ref("AttachmentAnswer")},
        body={
            "application/octet-stream": _FILE,
            "multipart/form-data": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _FILE},
            },
        },
        refused=(*_COMMANDED, 404),
        asked=(query("name", TEXT), header("Idempotency-Key", TEXT)),
    ),
    ("GET", "/v1/reports/form"): Door(
        says="Tell what the form offers; open to anybody.",
        tag="reports",
        keys=(),
        answers={200: ref("Form")},
        refused=(404, 422),
        asked=(query("lang", {"type": "string", "enum": list(LANGUAGES)}),),
    ),
    ("POST", "/v1/reports"): Door(
        says="Take a report of anybody, as the form at `/report` does.",
        tag="reports",
        keys=(),
        answers={201: ref("ReportAnswer")},
        body={JSON: ref("Report")},
        refused=(400, 404, 413, 415, 422, 429),
    ),
    ("POST", "/v1/contacts/mail"): Door(
        says="Take a mail as it was received: it opens an incident, or answers one.",
        tag="contacts",
        keys=("token", "key"),
        answers={200: ref("MailTaken"), 201: ref("MailTaken")},
        body={"message/rfc822": {"type": "string"}},
        refused=(400, 404, 409, 413, 415, 422, 429),
        asked=(query("incident", TEXT),),
    ),
    ("POST", "/v1/letters/{letter}/retry"): Door(
        says="Accept a mail that was set aside: the caller has read it.",
        tag="contacts",
        keys=_TOKEN,
        answers={200: ref("MailTaken"), 201: ref("MailTaken")},
        body={JSON: ref("RetryLetter")},
        must_have_body=False,
        refused=(*_COMMANDED, 404),
    ),
    ("GET", "/v1/quarantine"): Door(
        says="List what could not be mapped, the oldest first.",
        tag="quarantine",
        keys=_TOKEN,
        answers={200: ref("QuarantinePage")},
        refused=(422, 429),
        asked=tuple(
            query(name, schema)
            for name, schema in QuarantineListing.model_json_schema()[
                "properties"
            ].items()
        ),
    ),
    ("POST", "/v1/quarantine/retry"): Door(
        says="Read again what waits and fits, and take what can be mapped now.",
        tag="quarantine",
        keys=_TOKEN,
        answers={200: ref("TriedMany")},
        body={JSON: ref("RetryMany")},
        must_have_body=False,
        refused=_COMMANDED,
    ),
    ("GET", "/v1/quarantine/{id}"): Door(
        says="Show one with its history and, with the scope `admin`, its raw body.",
        tag="quarantine",
        keys=_TOKEN,
        answers={200: ref("QuarantinedWhole")},
        refused=(404, 429),
        path=_NUMBER,
    ),
    ("POST", "/v1/quarantine/{id}/retry"): Door(
        says="Read one again, and take it if it can be mapped now.",
        tag="quarantine",
        keys=_TOKEN,
        answers={200: ref("Tried")},
        refused=(*_COMMANDED, 404),
        path=_NUMBER,
    ),
    ("POST", "/v1/quarantine/{id}/discard"): Door(
        says="Take one off the list. It is kept, with who did it and why.",
        tag="quarantine",
        keys=_TOKEN,
        answers={200: ref("Quarantined")},
        body={JSON: ref("Discard")},
        refused=(*_COMMANDED, 404),
        path=_NUMBER,
    ),
    ("GET", "/v1/suppressed"): Door(
        says="Show what came to nothing, and why: the newest first.",
        tag="why",
        keys=("token", "key"),
        answers={200: ref("SuppressedPage")},
        refused=(422, 429),
        asked=(
            query("source", _NAME),
            query("service", _NAME),
            query("code", _NAME),
            query("since", _INSTANT),
            query("until", _INSTANT),
            query("limit", {**_COUNT, "maximum": PAGE_MAX}),
            query("cursor", _COUNT),
        ),
    ),
    ("POST", "/v1/sources/{name}/keys"): Door(
        says="Make a key for a source of the policy, and show it, this once.",
        tag="sources",
        keys=_TOKEN,
        answers={201: ref("CreatedKey")},
        body={JSON: ref("CreateKey")},
        refused=(*_COMMANDED, 404),
        asked=(header("Idempotency-Key", TEXT),),
    ),
    ("GET", "/v1/decisions"): Door(
        says="Explain why there is an incident for an alert, or why not.",
        tag="why",
        keys=("token", "key"),
        answers={200: ref("Decisions")},
        refused=(422, 429),
        asked=(query("dedup_key", _DEDUP_KEY, needed=True), query("source", _NAME)),
    ),
    ("PUT", "/v1/records/{type}/{id}"): Door(
        says="Tell what a record of another system, such as a release, is now.",
        tag="external records",
        keys=("token", "key"),
        answers={200: ref("PutAnswer"), 201: ref("PutAnswer")},
        body={JSON: ref("PutExternalRecord")},
        refused=(*_COMMANDED, 412),
        asked=(header("If-Match", TEXT),),
    ),
    ("GET", "/v1/maintenance"): Door(
        says="List work that was announced, the newest first.",
        tag="maintenance",
        keys=_TOKEN,
        answers={200: ref("Maintenance")},
        asked=(query("service", _NAME),),
    ),
    ("POST", "/v1/maintenance"): Door(
        says="Announce work on a service: what fires then opens nothing yet.",
        tag="maintenance",
        keys=_TOKEN,
        answers={200: ref("MaintenanceAnswer"), 201: ref("MaintenanceAnswer")},
        body={JSON: ref("Announce")},
        refused=(*_COMMANDED, 404),
    ),
    ("POST", "/v1/maintenance/{window}/cancel"): Door(
        says="Call announced work off.",
        tag="maintenance",
        keys=_TOKEN,
        answers={200: ref("MaintenanceAnswer")},
        body={JSON: ref("Withdraw")},
        must_have_body=False,
        refused=(*_COMMANDED, 404),
    ),
}
