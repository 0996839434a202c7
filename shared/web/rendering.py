"""Renders data as HTML: all values are escaped, and only the page's own scripts run."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, Response

from shared.i18n.formats import Language

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Pages:
    """Renders pages from `templates` and `assets` in given folders and in this one."""

    def __init__(
        self,
        words: Mapping[Language, Mapping[str, str]],
        *folders: Path,
        filters: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        self._words = words
        self._assets = {
            file.name: (_TYPES[file.suffix], file.read_bytes())
            for folder in (_HERE, *folders)
            for file in sorted((folder / "assets").glob("*.*"))
        }
        self._templates = Environment(
            loader=FileSystemLoader([each / "templates" for each in (*folders, _HERE)]),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= dict(filters or {})
        contents = b"".join(body for _, body in self._assets.values())
        self._edition = sha256(contents).hexdigest()[:12]
        # Part of the address of style and script, so that browsers can cache them.

    def page(
        self,
        template: str,
        language: Language,
        status: int = HTTPStatus.OK,
        **shown: object,
    ) -> Response:
        """Return the page that `template` renders from `shown`."""
        html = self._templates.get_template(template).render(
            lang=language, say=self._words[language], edition=self._edition, **shown
        )
        varied = {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}
        return HTMLResponse(html, status, {**_SAFE, **varied})

    def asset(self, name: str) -> Response | None:
        """Return a style sheet or script, None if the name is unknown."""
        if name not in self._assets:
            return None
        kind, body = self._assets[name]
        kept = "public, max-age=31536000, immutable"
        return Response(body, headers={"Cache-Control": kept}, media_type=kind)
