"""What a callback of Twilio says, and whether it is one. Pure.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
https://www.twilio.com/docs/voice/api/call-resource#call-status-values
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape, quoteattr

from shared.i18n.catalog import Language

FIELDS_MAX = 100
CONFIRMS = "1"
"""The key that confirms a message, and takes the incident of a page."""
_FAILED_CALLS = {
    "busy": "the line was busy",
    "no-answer": "nobody answered the call",
    "canceled": "the call was cancelled",
    "failed": "the number could not be called",
}
NO_KEY = "the call was answered, and no key was pressed"
_CODE = re.compile(r"[0-9]{1,6}")
_VOICES: Mapping[Language, str] = {"fr": "fr-FR", "en": "en-GB"}

Form = Sequence[tuple[str, str]]


class Fate(NamedTuple):
    """The result of a message; `reason` is "" if it was delivered."""

    state: Literal["delivered", "failed"]
    reason: str = ""


def form_in(body: bytes) -> Form:
    """Return the fields of a form. Raises `ValueError` for another text."""
    text = body.decode("utf-8")
    return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)


def is_signed(token: str, url: str, form: Form, signature: str) -> bool:
    """Return whether `signature` is Twilio's of a form posted to `url`."""
    told = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    good = base64.b64encode(hmac.digest(token.encode(), told.encode(), "sha1"))
    return hmac.compare_digest(good, signature.encode("utf-8", "replace"))


def fate_of(fields: Mapping[str, str]) -> Fate | None:
    """Return what a status callback says of a message; None if nothing final."""
    match fields:
        case {"MessageStatus": "delivered" | "read"}:
            return Fate("delivered")
        case {"MessageStatus": "undelivered" | "failed"}:
            return Fate("failed", f"the operator did not deliver it{_code(fields)}")
        case {"CallStatus": "completed"}:
            return Fate("failed", NO_KEY)
        case {"CallStatus": status} if status in _FAILED_CALLS:
            return Fate("failed", _FAILED_CALLS[status])
        case _:
            return None


def _code(fields: Mapping[str, str]) -> str:
    code = fields.get("ErrorCode", "")
    return f" (Twilio {code})" if _CODE.fullmatch(code) else ""


def spoken(text: str, language: Language) -> str:
    """Return TwiML that says a text and hangs up."""
    voice = quoteattr(_VOICES.get(language, "en-GB"))
    return f"<Response><Say language={voice}>{escape(text)}</Say></Response>"
