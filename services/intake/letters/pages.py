"""An HTML page as text: laid out as a reader would see it, in time that is bounded.

Anybody may send any page: neither rows of a table beside each other nor distances of a
style sheet may ask for more work or memory than the page is long.
"""

import re

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping

TABLES_CHARACTERS_MAX = 20_000
"""Of a longer page, cells stand below each other: beside each other, all lines of one
are filled up to the width of the next, and a page of 300 kB becomes gigabytes."""
_DECLARATION = re.compile(r"<\?xml[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_TABULAR = ("table", "tr", "td", "th")


def text_of(page: str) -> str:
    """Return an HTML page as text; it never fails."""
    # lxml takes no text that says how it is encoded: it is decoded already.
    page = _DECLARATION.sub("", page)
    if not page.strip():
        return ""
    layout = _TABLES if len(page) <= TABLES_CHARACTERS_MAX else _BELOW
    try:
        lines = get_text(page, layout).splitlines()
    except Exception:  # noqa: BLE001 # whatever it trips over, the words are not lost
        return _TAG.sub(" ", page)
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _style(written: str, element: HtmlElement) -> None:
    """Heed what a style hides, and none of its distances: they may be any number."""
    if _HIDDEN.search(written):
        element.display = Display.none


def _layout(*, tables: bool) -> ParserConfig:
    css = dict(CSS_PROFILES["relaxed"])
    no_handlers = CustomHtmlTagHandlerMapping({}, {})
    if not tables:
        css |= {tag: HtmlElement(display=Display.block) for tag in _TABULAR}
        nothing = dict.fromkeys(_TABULAR)
        no_handlers = CustomHtmlTagHandlerMapping(nothing, nothing)
    config = ParserConfig(
        css=css, display_links=False, custom_html_tag_handler_mapping=no_handlers
    )
    config.attribute_handler.attribute_mapping = {"style": _style}
    return config


_TABLES = _layout(tables=True)
_BELOW = _layout(tables=False)
