"""From what the API answered to HTML: everything that is shown is escaped."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, Response

from services.projections.page.words import LANGUAGES, named
from services.projections.timeline.values import duration
from shared.wording.reader import Language

_HERE = Path(__file__).parent
ASSETS: Mapping[str, tuple[str, bytes]] = {
    name: (kind, (_HERE / "assets" / name).read_bytes())
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript"))
}
EDITION = sha256(b"".join(body for _, body in ASSETS.values())).hexdigest()[:12]
"""Stands in the address of style and script, so that a browser may keep them."""
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    template: str, language: Language, status: int = HTTPStatus.OK, **shown: object
) -> Response:
    """Return the page that `template` makes of what is `shown`."""
    html = _PAGES.get_template(template).render(
        lang=language, say=LANGUAGES[language], edition=EDITION, **shown
    )
    headers = {**_SAFE, "Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}
    return HTMLResponse(html, status, headers)


def asset(name: str) -> Response | None:
    """Return style or script, None if the name is unknown."""
    if name not in ASSETS:
        return None
    kind, body = ASSETS[name]
    kept = "public, max-age=31536000, immutable"
    return Response(body, headers={"Cache-Control": kept}, media_type=kind)


def _instant(text: str, language: Language) -> str:
    """Write an instant for people, in UTC: where there is a script it knows better."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return format_datetime(moment, "d MMM y HH:mm", locale=language) + " UTC"


def _newest(promises: Iterable[Mapping[str, Any]], cycle: int) -> Iterable[object]:
    """Return the present promise of each target: rounds that are over are history."""
    return {
        each["target"]: each for each in promises if each["cycle"] == cycle
    }.values()


def _is_after(text: str, other: str | None) -> bool:
    """Tell whether one instant is later than another; nothing is before no instant."""
    return other is None or datetime.fromisoformat(text) > datetime.fromisoformat(other)


_PAGES.filters |= {
    "is_after": _is_after,
    "newest": _newest,
    "span": duration,
    "instant": _instant,
    "named": lambda name, language: named(language, name),
}
