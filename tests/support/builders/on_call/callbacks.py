"""Callbacks as Twilio posts them: a form, signed with the token of the account."""

import base64
import hmac
from collections.abc import Mapping


def twilio_headers(token: str, url: str, form: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a form that is posted to `url`."""
    told = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.digest(token.encode(), told.encode(), "sha1")
    return {
        "X-Twilio-Signature": base64.b64encode(digest).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
