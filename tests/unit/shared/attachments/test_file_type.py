"""The type of a file follows from its content, and its name is made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.attachments.file_type import (
    ACCEPTED,
    NAME_MAX,
    OCTETS,
    PROGRAM,
    SCRIPT,
    is_encrypted_archive,
    plain_name,
    type_of,
)
from tests.support.mail.sent_files import archive, picture

OFFICE = "application/vnd.openxmlformats-officedocument."
EXAMPLES: list[tuple[str, bytes, str]] = [
    ("a.png", picture("PNG"), "image/png"),
    ("a.jpg", picture("JPEG"), "image/jpeg"),
    ("a.gif", picture("GIF"), "image/gif"),
    ("a.webp", picture("WEBP"), "image/webp"),
    ("a.bmp", picture("BMP"), "image/bmp"),
    ("a.tiff", picture("TIFF"), "image/tiff"),
    ("a.pdf", b"%PDF-1.7\n", "application/pdf"),
    ("a.zip", archive("a.txt"), "application/zip"),
    (
        "a.docx",
        archive("[Content_Types].xml", "word/document.xml"),
        f"{OFFICE}wordprocessingml.document",
    ),
    (
        "a.xlsx",
        archive("[Content_Types].xml", "xl/workbook.xml"),
        f"{OFFICE}spreadsheetml.sheet",
    ),
    ("winmail.dat", b"\x78\x9f\x3e\x22\0\0", "application/ms-tnef"),
    (
        "a.msg",
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(9),
        "application/x-ole-storage",
    ),
    ("a.txt", "é€".encode(), "text/plain"),
    ("a.txt", b"BMW, MZ and ID3 begin a text", "text/plain"),
    ("a.txt", "wide".encode("utf-16"), "text/plain"),
    ("a.json", b' {"a": 1}', "application/json"),
    ("a.eml", b"From: a@b.example\n\nx", "message/rfc822"),
    ("a.png", b"<svg xmlns='x'/>", "image/svg+xml"),
    ("a.png", b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "image/svg+xml"),
    ("a.png", b"<!DOCTYPE html><script>", "text/html"),
    ("a.txt", b"#!/bin/sh\n", SCRIPT),
    ("a.png", b"MZ\x90\0\3\0", PROGRAM),
    ("a.png", b"\x7fELF\2\1", PROGRAM),
    ("a.bat", b"echo", PROGRAM),
    ("A.JS. ", b"alert(1)", PROGRAM),
    ("a", bytes(range(256)), OCTETS),
    ("a", b"", "text/plain"),
]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    EXAMPLES,
    ids=[f"{name}-{kind.rpartition('/')[2]}" for name, _, kind in EXAMPLES],
)
def test_the_type_follows_from_the_content(
    name: str, content: bytes, kind: str
) -> None:
    assert type_of(name, content) == kind


@pytest.mark.parametrize("kind", [OCTETS, PROGRAM, SCRIPT])
def test_what_runs_or_is_not_recognised_is_not_accepted(kind: str) -> None:
    assert kind not in ACCEPTED


@given(st.text(max_size=20), st.binary(max_size=200))
def test_every_content_has_a_type(name: str, content: bytes) -> None:
    assert "/" in type_of(name, content)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("screen.png", "screen.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\zoe\\a.png", "a.png"),
        ("a\r\nSet-Cookie: b.png", "aSet-Cookie: b.png"),
        ("photo_\u202egnp.exe", "photo_gnp.exe"),
        ("a\u200b.png", "a.png"),
        ("..", "file"),
        ("", "file"),
        ("dir/", "file"),
        ("é" * 300 + ".png", "é" * (NAME_MAX - 4) + ".png"),
    ],
)
def test_a_name_is_shown_without_folders_and_hidden_characters(
    written: str, shown: str
) -> None:
    assert plain_name(written) == shown


@given(st.text(max_size=500))
def test_every_name_is_one_short_line_that_hides_nothing(written: str) -> None:
    shown = plain_name(written)

    assert 0 < len(shown) <= NAME_MAX
    assert shown.isascii() or shown.encode()
    assert not set(shown) & set("/\\\r\n\0\u202e\u2066")


def test_an_archive_with_a_password_is_known_by_its_mark() -> None:
    assert is_encrypted_archive(archive("a.txt", encrypted=True))
    assert not is_encrypted_archive(archive("a.txt"))
    assert not is_encrypted_archive(picture())
