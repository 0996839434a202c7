"""The content of a file is encrypted with a key of its own, and bound to its id."""

from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.attachments.content import encrypted

FILE = UUID("5b6f1c1e-0c1d-5a1b-9c39-0f7c6f0e7a10")
OTHER = UUID("6b6f1c1e-0c1d-5a1b-9c39-0f7c6f0e7a10")


def test_the_same_file_is_never_encrypted_the_same_way() -> None:
    first, second = encrypted(FILE, b"words"), encrypted(FILE, b"words")

    assert first.key != second.key
    assert first.sha256 != second.sha256
    assert b"words" not in first.body


def test_content_does_not_open_as_that_of_another_file() -> None:
    content = encrypted(FILE, b"words")
    nonce, hidden = content.body[:12], content.body[12:]

    assert AESGCM(content.key).decrypt(nonce, hidden, FILE.bytes) == b"words"
    with pytest.raises(InvalidTag):
        AESGCM(content.key).decrypt(nonce, hidden, OTHER.bytes)


def test_neither_key_nor_content_is_shown_in_a_log_line() -> None:
    assert "body" not in repr(encrypted(FILE, b"words"))
