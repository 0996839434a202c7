"""Extracts the text of a mail, or its HTML as text, and its attachments.

HTML is laid out as a reader would see it, in limited time: mail may contain any page,
so neither tables nor style sheets may cost more time or memory than the page is long.
"""

import re
from codecs import lookup
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from email.message import Message

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping

from services.intake.attachments.rules import IncomingFile, incoming
from services.intake.inbound_mail.message import (
    ATTACHMENTS_MAX,
    NAME_MAX,
    PARTS_MAX,
    Attachment,
    decoded,
    with_short_headers,
)

TABLES_CHARACTERS_MAX = 20_000
"""For a longer page, table cells are placed below each other: side by side, all lines
of a cell are padded to the width of the next, and 300 kB may become gigabytes."""
_DECLARATION = re.compile(r"<\?xml[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_TABULAR = ("table", "tr", "td", "th")


def text_of(page: str) -> str:
    """Return an HTML page as text; never fails."""
    # lxml rejects a decoded text that declares an encoding.
    page = _DECLARATION.sub("", page)
    if not page.strip():
        return ""
    layout = _TABLES if len(page) <= TABLES_CHARACTERS_MAX else _BELOW
    try:
        lines = get_text(page, layout).splitlines()
    except Exception:  # noqa: BLE001 # the text must not be lost
        return _TAG.sub(" ", page)
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _style(written: str, element: HtmlElement) -> None:
    """Apply what a style hides, but no distances: these may be any number."""
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
"""The HTML of one mail beyond this is not converted to text."""
NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
"""Python codecs that no mail uses and that are slow to decode."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MISTAKES = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """The text of a part; pieces of one `choice` are alternatives."""

    choice: int | None
    is_html: bool
    text: str


_SIGNATURES = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }
)
"""Parts that belong to the mail, not to what its author wants to show."""


@dataclass(frozen=True, slots=True)
class Content:
    """The text of a mail, and its attachments: as declared, and with their content."""

    text: str
    attachments: tuple[Attachment, ...]
    files: tuple[IncomingFile, ...]


def content_of(message: Message, *, is_cut: bool = False) -> Content:
    """Return the content of a mail; `is_cut` if its end is missing."""
    pieces: list[_Piece] = []
    attachments: list[Attachment] = []
    files: list[IncomingFile] = []
    last: Message | None = None
    last_file: Message | None = None
    for part, choice in _leaves(message):
        last = part
        kind = part.get_content_type()
        named = _filename(part)
        apart = named or part.get_content_disposition() == "attachment"
        if apart or not _is_text(kind):
            held = _bytes(part)
            attachments.append(Attachment(named or kind, kind, len(held)))
            if kind not in _SIGNATURES:
                files.append(_file(part, named, kind, held))
                last_file = part
        else:
            pieces.append(_Piece(choice, kind == "text/html", _text(part)))
    if is_cut and files and last is last_file:
        files[-1] = replace(files[-1], is_cut=True)
    return Content(_words(pieces), tuple(attachments), tuple(files[:ATTACHMENTS_MAX]))


def _file(part: Message, named: str, kind: str, content: bytes) -> IncomingFile:
    is_inline = part.get_content_disposition() != "attachment"
    name = named or f"{kind.partition('/')[0]}.{kind.partition('/')[2]}"
    return incoming(name, content, is_inline=is_inline)


def _words(pieces: list[_Piece]) -> str:
    """Return the text of the pieces in order; HTML only without a text alternative."""
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
    """Yield the parts with content, including those of forwarded mails.

    Uses a stack instead of recursion: mails may be nested arbitrarily deep.
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
    # A multipart without parts is malformed: its content may be text.
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
        return part.as_bytes()  # including its headers: better than nothing
    return b""


def _filename(part: Message) -> str:
    with suppress(*_MISTAKES):
        return decoded(part.get_filename() or "")[:NAME_MAX]
    return "attachment"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
