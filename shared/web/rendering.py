"""Renders data as HTML: all values are escaped, and only the page's own scripts run."""

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from babel import Locale
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, Response

from shared.i18n.catalog import LANGUAGES, Language, text_of, translated

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


RETRY_SECONDS = 2
"""`Retry-After` of a page that says that the desk is busy or away."""
_ENDS = (".", "!", "?", "…", ":", ";")


class LanguageChoice(NamedTuple):
    """A language that a page offers: its code, name and word for `language`."""

    code: Language
    name: str
    word: str


@cache
def offered_languages() -> tuple[LanguageChoice, ...]:
    """Return the languages of the desk, each in its own words."""
    return tuple(
        LanguageChoice(
            code,
            (Locale.parse(code).get_display_name() or code).capitalize(),
            text_of(code, "page", "language"),
        )
        for code in sorted(LANGUAGES)
    )


def refusal_text(language: Language, code: str | None, sentence: str = "") -> str:
    """Return why something was refused; `sentence` where no text has its code."""
    text = text_of(language, "refusal", code or "")
    return as_sentence(sentence) if text == (code or "") else text


def as_sentence(text: str) -> str:
    """Return a text as a sentence: with a capital letter and a full stop."""
    whole = text.strip()
    if not whole:
        return whole
    end = "" if whole.endswith(_ENDS) else "."
    return f"{whole[0].upper()}{whole[1:]}{end}"


class Pages:
    """Renders pages from `templates` and `assets` in given folders and in this one.

    Scripts of others are in `vendor`: see `vendored.toml` there.

    A name of the desk, such as a status, is shown by `name | word(context)`: its text
    in the catalog, or the name itself; either is escaped.
    """

    def __init__(
        self,
        *folders: Path,
        filters: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        self._assets = {
            file.name: (_TYPES[file.suffix], file.read_bytes())
            for folder in (_HERE, *folders)
            for file in sorted(
                (*folder.glob("assets/*.*"), *folder.glob("vendor/*.js"))
            )
        }
        self._folders = [each / "templates" for each in (*folders, _HERE)]
        self._filters = dict(filters or {})
        self._templates: dict[Language, Environment] = {}
        contents = b"".join(body for _, body in self._assets.values())
        self._edition = sha256(contents).hexdigest()[:12]
        # Part of the address of style and script, so that browsers can cache them.

    def _in(self, language: Language) -> Environment:
        """Return the templates in a language, compiled when they are first shown."""
        if language not in self._templates:
            templates = Environment(
                loader=FileSystemLoader(self._folders),
                autoescape=True,
                trim_blocks=True,
                lstrip_blocks=True,
            )
            templates.filters |= self._filters
            templates.filters["word"] = lambda name, context: text_of(
                language, context, name
            )
            templates.globals["languages"] = offered_languages()
            self._templates[language] = translated(templates, language)
        return self._templates[language]

    def page(
        self,
        template: str,
        language: Language,
        status: int = HTTPStatus.OK,
        **shown: object,
    ) -> Response:
        """Return the page that `template` renders from `shown`."""
        html = (
            self._in(language)
            .get_template(template)
            .render(lang=language, edition=self._edition, **shown)
        )
        headers = {
            **_SAFE,
            "Cache-Control": "no-store",
            "Vary": "Cookie, Accept-Language",
        }
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = str(RETRY_SECONDS)
        return HTMLResponse(html, status, headers)

    def asset(self, name: str) -> Response | None:
        """Return a style sheet or script, None if the name is unknown."""
        if name not in self._assets:
            return None
        kind, body = self._assets[name]
        kept = "public, max-age=31536000, immutable"
        return Response(body, headers={"Cache-Control": kept}, media_type=kind)
