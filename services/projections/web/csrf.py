"""Guards the forms of pages against requests that other sites make a browser send.

Each form has a token derived from the visitor's credential, which no script and no
other site can read. A form must also come from this site, as far as the browser tells.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request

from services.projections.api.session_cookie import session_in

FIELD = "csrf"
"""The name of the hidden field in forms."""
_PURPOSE = b"forms of pages"


def token_for(credential: str) -> str:
    """Return the token in the forms of a visitor with this credential."""
    return hmac.digest(credential.encode(), _PURPOSE, sha256).hex()


def is_genuine(request: Request, form: Mapping[str, str]) -> bool:
    """Return whether a form comes from a page that we showed to its visitor."""
    given, own = form.get(FIELD, ""), token_for(session_in(request) or "")
    return not is_from_elsewhere(request) and hmac.compare_digest(
        given.encode(), own.encode()
    )


def is_from_elsewhere(request: Request) -> bool:
    """Return whether another site made the browser send this request.

    Over HTTPS browsers state it; otherwise only the origin of a form is known.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if site != "none":
        return site != "same-origin"
    origin = request.headers.get("origin")
    if origin is None:  # not a browser
        return False
    public: str = request.app.state.desk.public_url
    ours = {
        request.headers.get("host", "").lower(),
        urlsplit(public).netloc.lower(),
    } - {""}
    return urlsplit(origin).netloc.lower() not in ours
