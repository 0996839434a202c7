"""The type of a file, determined from its content, and which types are accepted. Pure.

Whether a file is accepted depends on this, so it is a short list of signatures that
leave no doubt, not a library that guesses: what is not recognised is not accepted.
The name only counts against a file: Windows runs some texts because of it.
"""

import re
from typing import NamedTuple

OCTETS = "application/octet-stream"
TEXT = "text/plain"
SCRIPT = "text/x-script"
PROGRAM = "application/x-executable"
PREVIEWED = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""The types of images that can be shown as a preview."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
ACCEPTED = frozenset(
    {
        *PREVIEWED,
        *("image/bmp", "image/tiff", "image/heic", "image/avif", "image/svg+xml"),
        *("application/pdf", "application/rtf", "application/x-ole-storage"),
        *(f"{_OFFICE}{each}" for each in (
            "wordprocessingml.document",
            "spreadsheetml.sheet",
            "presentationml.presentation",
        )),
        *(f"{_OPEN}{each}" for each in ("text", "spreadsheet", "presentation")),
        *("application/zip", "application/gzip", "application/x-7z-compressed"),
        *("application/ms-tnef", "application/json"),
        *(TEXT, "text/html", "text/xml", "message/rfc822"),
        *("video/mp4", "video/webm", "audio/mpeg", "audio/ogg", "audio/wav"),
    }
)  # fmt: skip
"""The types that a desk accepts unless its settings say otherwise."""


class _Signature(NamedTuple):
    """Bytes at a place in a file, and the type that they prove."""

    kind: str
    written: bytes
    at: int = 0


_SIGNATURES = (
    _Signature(PROGRAM, b"MZ"),
    _Signature(PROGRAM, b"\x7fELF"),
    _Signature(PROGRAM, b"\xca\xfe\xba\xbe"),
    _Signature(PROGRAM, b"\xfe\xed\xfa\xce"),
    _Signature(PROGRAM, b"\xfe\xed\xfa\xcf"),
    _Signature(PROGRAM, b"\xce\xfa\xed\xfe"),
    _Signature(PROGRAM, b"\xcf\xfa\xed\xfe"),
    _Signature(PROGRAM, b"\x4c\x00\x00\x00\x01\x14\x02\x00"),  # a shortcut of Windows
    _Signature("image/png", b"\x89PNG\r\n\x1a\n"),
    _Signature("image/jpeg", b"\xff\xd8\xff"),
    _Signature("image/gif", b"GIF87a"),
    _Signature("image/gif", b"GIF89a"),
    _Signature("image/webp", b"WEBP", 8),
    _Signature("image/bmp", b"BM"),
    _Signature("image/tiff", b"II*\x00"),
    _Signature("image/tiff", b"MM\x00*"),
    _Signature("image/heic", b"ftypheic", 4),
    _Signature("image/heic", b"ftypmif1", 4),
    _Signature("image/avif", b"ftypavif", 4),
    _Signature("video/mp4", b"ftyp", 4),
    _Signature("video/webm", b"\x1a\x45\xdf\xa3"),
    _Signature("audio/mpeg", b"ID3"),
    _Signature("audio/ogg", b"OggS"),
    _Signature("audio/wav", b"WAVE", 8),
    _Signature("application/pdf", b"%PDF-"),
    _Signature("application/rtf", b"{\\rtf"),
    _Signature("application/x-ole-storage", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    _Signature("application/ms-tnef", b"\x78\x9f\x3e\x22"),
    _Signature("application/gzip", b"\x1f\x8b"),
    _Signature("application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c"),
)
_RIFF = {"image/webp", "audio/wav"}
_LETTERS = 4
"""Signatures up to this length, if they are letters, may also begin a text."""
_ZIP = b"PK\x03\x04"
_ZIP_FLAGS = re.compile(rb"PK\x03\x04..(.)", re.DOTALL)
_ENCRYPTED = 0x01
_NAMED_WITHIN = 64 * 1024
_TEXT_HEAD = 4_096
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_WIDE = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MARKUP = (
    (re.compile(r"<svg[\s>]", re.IGNORECASE), "image/svg+xml"),
    (
        re.compile(r"<(!doctype html|html|script|body|iframe)", re.IGNORECASE),
        "text/html",
    ),
    (re.compile(r"^<\?xml"), "text/xml"),
    (
        re.compile(r"^(received|from|return-path|message-id):", re.IGNORECASE),
        "message/rfc822",
    ),
)
_RUN_BY_NAME = frozenset(
    [
        "ade",
        "adp",
        "app",
        "application",
        "appx",
        "appxbundle",
        "bat",
        "chm",
        "cmd",
        "com",
        "cpl",
        "dll",
        "exe",
        "gadget",
        "hlp",
        "hta",
        "inf",
        "ins",
        "iso",
        "img",
        "jar",
        "js",
        "jse",
        "lnk",
        "mde",
        "msc",
        "msh",
        "msi",
        "msix",
        "msp",
        "mst",
        "ocx",
        "paf",
        "pif",
        "ps1",
        "ps2",
        "psc1",
        "psm1",
        "reg",
        "scf",
        "scr",
        "sct",
        "settingcontent-ms",
        "shb",
        "sys",
        "vb",
        "vbe",
        "vbs",
        "vhd",
        "vhdx",
        "wsc",
        "wsf",
        "wsh",
        "xll",
    ]
)
"""Extensions that a double click runs, as mail services refuse them."""


def type_of(name: str, content: bytes) -> str:
    """Return the media type of a file."""
    if _extension(name) in _RUN_BY_NAME:
        return PROGRAM
    if content.startswith(_ZIP):
        return _kind_of_zip(content)
    for kind, written, at in _SIGNATURES:
        if content[at : at + len(written)] == written and _is_sure(
            kind, written, content
        ):
            return kind
    return _kind_of_text(content)


def is_encrypted_archive(content: bytes) -> bool:
    """Return whether a ZIP archive has a file that only a password opens."""
    if not content.startswith(_ZIP):
        return False
    return any(each[1][0] & _ENCRYPTED for each in _ZIP_FLAGS.finditer(content))


def _is_sure(kind: str, written: bytes, content: bytes) -> bool:
    """Return whether a signature counts: `BMW` may also begin a text."""
    if kind in _RIFF:
        return content.startswith(b"RIFF")
    is_short = len(written) <= _LETTERS and written.isalnum()
    return not is_short or _BINARY.search(content[:_TEXT_HEAD]) is not None


def _extension(name: str) -> str:
    # Windows ignores dots and spaces at the end of a name.
    return name.rstrip(". \t").rpartition(".")[2].lower()


def _kind_of_zip(content: bytes) -> str:
    if content[30:38] == b"mimetype":
        for each in ("text", "spreadsheet", "presentation"):
            if content[38:].startswith(f"{_OPEN}{each}".encode()):
                return f"{_OPEN}{each}"
    ends = content[:_NAMED_WITHIN] + content[-_NAMED_WITHIN:]
    if b"[Content_Types].xml" in ends:
        for folder, kind in (
            (b"word/", "wordprocessingml.document"),
            (b"xl/", "spreadsheetml.sheet"),
            (b"ppt/", "presentationml.presentation"),
        ):
            if folder in ends:
                return f"{_OFFICE}{kind}"
    return "application/zip"


def _kind_of_text(content: bytes) -> str:
    text = _decoded(content)
    if text is None:
        return OCTETS
    head = text[:_TEXT_HEAD]
    if head.startswith("#!"):
        return SCRIPT
    for mark, kind in _MARKUP:
        if mark.search(head.lstrip()):
            return kind
    return "application/json" if head.lstrip()[:1] in ("{", "[") else TEXT


def _decoded(content: bytes) -> str | None:
    """Return the text, or None if the content has characters that no text has."""
    for mark, coding in _WIDE:
        if content.startswith(mark):
            try:
                return content.decode(coding)
            except UnicodeDecodeError:
                return None
    if _BINARY.search(content):
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, and those that reverse what is shown: `exe.jpg` as `gpj.exe`."""
NAME_MAX = 200
NAMELESS = "file"


def plain_name(written: str) -> str:
    """Return the name of a file: one line, without folders and hidden characters."""
    last = _CONTROL.sub("", written).replace("\\", "/").rpartition("/")[2].strip()
    if last.strip(". ") == "":
        return NAMELESS
    if len(last) <= NAME_MAX:
        return last
    stem, dot, extension = last.rpartition(".")
    kept = f"{dot}{extension}"[:20] if stem else ""
    return last[: NAME_MAX - len(kept)] + kept
