"""What a mail says: its text, else its HTML as text; and what came with it.

An HTML page as text: laid out as a reader would see it, in time that is bounded.

Anybody may send any page: neither rows of a table beside each other nor distances of a
style sheet may ask for more work or memory than the page is long.
"""

import re
from codecs import lookup
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping

from services.intake.inbound_mail.message import (
    NAME_MAX,
    PARTS_MAX,
    Attachment,
    decoded,
    with_short_headers,
)

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


HTML_CHARACTERS_MAX = 500_000
"""More of all pages of a mail is not turned into text."""
NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
"""What Python knows as encodings and no mail is written in; they take long to read."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MISTAKES = (ValueError, LookupError, AttributeError, TypeError, AssertionError)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text of a part; pieces of one `choice` say the same in several forms."""

    choice: int | None
    is_html: bool
    text: str


def content_of(message: Message) -> tuple[str, list[Attachment]]:
    """Return the words of a mail, and what else it holds: names and sizes."""
    pieces: list[_Piece] = []
    attachments: list[Attachment] = []
    for part, choice in _leaves(message):
        kind = part.get_content_type()
        named = _filename(part)
        apart = named or part.get_content_disposition() == "attachment"
        if apart or not _is_text(kind):
            held = len(_bytes(part))
            attachments.append(Attachment(named or kind, kind, held))
        else:
            pieces.append(_Piece(choice, kind == "text/html", _text(part)))
    return _words(pieces), attachments


def _words(pieces: list[_Piece]) -> str:
    """Return the pieces in order; where one is there as text, its HTML is not said."""
    said_plainly = {
        piece.choice for piece in pieces if not piece.is_html and piece.text.strip()
    } - {None}
    room = HTML_CHARACTERS_MAX
    chosen: list[str] = []
    for piece in pieces:
        text = _CONTROL.sub("", _lines(piece.text))
        if not piece.is_html:
            chosen.append(text)
        elif piece.choice not in said_plainly:
            chosen.append(text_of(text[:room]))
            room -= min(room, len(text))
    cleaned = (_CONTROL.sub("", each).strip("\n") for each in chosen)
    return "\n\n".join(each for each in cleaned if each.strip())


def _leaves(message: Message) -> Iterator[tuple[Message, int | None]]:
    """Yield the parts that hold something; what was forwarded whole is among them.

    A stack, not recursion: mails may be nested as deep as their sender likes.
    """
    waiting: list[tuple[Message, int | None]] = [(message, None)]
    for _ in range(PARTS_MAX):
        if not waiting:
            return
        part, choice = waiting.pop()
        part = with_short_headers(part)
        if not part.is_multipart():
            yield part, choice
            continue
        if part.get_content_type() == "multipart/alternative":
            choice = id(part)
        inner = [each for each in list(part.get_payload()) if isinstance(each, Message)]
        waiting += [(each, choice) for each in reversed(inner)]


def _is_text(kind: str) -> bool:
    # A multipart without parts is a broken one: what it holds may be words.
    return kind in ("text/plain", "text/html") or kind.startswith("multipart/")


def _text(part: Message) -> str:
    held = _bytes(part)
    for encoding in (_charset(part), "utf-8"):
        with suppress(LookupError, ValueError):
            return held.decode(encoding)
    return held.decode("cp1252", "replace")


def _charset(part: Message) -> str:
    with suppress(*_MISTAKES):
        named = str(part.get_content_charset("utf-8"))
        return "utf-8" if lookup(named).name in NO_CHARSETS else named
    return "utf-8"


def _bytes(part: Message) -> bytes:
    with suppress(*_MISTAKES):
        held = part.get_payload(decode=True)
        if isinstance(held, bytes):
            return held
    with suppress(*_MISTAKES):
        return part.as_bytes()  # with its headers: better than nothing of it
    return b""


def _filename(part: Message) -> str:
    with suppress(*_MISTAKES):
        return decoded(part.get_filename() or "")[:NAME_MAX]
    return "attachment"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
