"""The doors at which providers of messages report."""

from collections.abc import Mapping

from docs.generate.doors.door import Door, header
from docs.generate.doors.schemas import TEXT
from services.intake.signals.body import FORM

_FORM = {FORM: {"type": "object", "additionalProperties": TEXT}}
_SIGNED = (header("X-Twilio-Signature", TEXT),)
_REFUSED = (400, 403, 404, 413)

FOR_PROVIDERS: Mapping[tuple[str, str], Door] = {
    ("POST", "/v1/callbacks/twilio/{token}"): Door(
        says="Hear from Twilio the result of an SMS or a call, as its signature "
        "proves.",
        tag="callbacks",
        keys=(),
        answers={204: None},
        body=_FORM,
        must_have_body=False,
        refused=_REFUSED,
        asked=_SIGNED,
    ),
    ("POST", "/v1/callbacks/twilio/{token}/key"): Door(
        says="Hear from Twilio which key was pressed in a call: 1 acknowledges the "
        "incident. The answer is TwiML.",
        tag="callbacks",
        keys=(),
        answers={200: None},
        body=_FORM,
        must_have_body=False,
        refused=_REFUSED,
        asked=_SIGNED,
    ),
}
