"""The content of an attached file: encrypted with a key of its own, outside the log.

That key is sealed with the key of the person whose file it is, and bound to incident
and attachment; the content is bound to the attachment. So the content can be encrypted
before it is known whose it is, and nobody can read it once that person is forgotten.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.database.cursors import Cursors
from shared.domain.identifiers import IncidentRef
from shared.vault.vault import Vault, VaultError, key_of

_KEY_BITS = 256
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class EncryptedContent:
    """The encrypted content of a file, and the key that decrypts it."""

    attachment: UUID
    body: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The digest of the encrypted content, in hex."""
        return sha256(self.body).hexdigest()


def encrypted(attachment: UUID, content: bytes) -> EncryptedContent:
    """Return a file's content encrypted with a new key; takes about 10 ms for 10 MB."""
    key = AESGCM.generate_key(_KEY_BITS)
    nonce = os.urandom(_NONCE_BYTES)
    hidden = AESGCM(key).encrypt(nonce, content, attachment.bytes)
    return EncryptedContent(attachment, nonce + hidden, key)


_STORE = """
INSERT INTO intake.attachments
    (attachment, incident, key_id, sealed_key, sha256, size, stored_at, body)
VALUES (%s, %s, %s, %s, %b, %s, %s, %b)
"""
_SCAN = "INSERT INTO intake.attachment_scans (attachment, due_at) VALUES (%s, %s)"
_LOAD = """
SELECT incident, sealed_key, sha256, body FROM intake.attachments
WHERE attachment = %s
"""
_DESTROY = "DELETE FROM intake.attachments WHERE attachment = %s"
_STORED_SINCE = """
SELECT coalesce(sum(size), 0) FROM intake.attachments WHERE stored_at > %s
"""
_DELETE_FORGOTTEN = """
DELETE FROM intake.attachments WHERE key_id IN (
    SELECT key_id FROM vault.keys WHERE destroyed_at IS NOT NULL)
RETURNING attachment
"""


class UnreadableContent(Exception):
    """The content is missing, changed or moved; the sentence says which."""


def store(
    cursor: Cursors,
    vault: Vault,
    incident: str,
    owner: str,
    content: EncryptedContent,
    now: datetime,
) -> None:
    """Store an encrypted file in the caller's transaction, before the append lock."""
    id_ = str(content.attachment)
    sealed = vault.seal(owner, content.key, _place(incident, id_))
    digest = bytes.fromhex(content.sha256)
    row = (id_, incident, key_of(sealed), sealed, digest, len(content.body), now)
    cursor.execute(_STORE, (*row, content.body))
    cursor.execute(_SCAN, (id_, now))


def destroy(cursor: Cursors, attachment: str) -> None:
    """Delete the content of a file; destroying it again is idempotent."""
    cursor.execute(_DESTROY, (attachment,))


def delete_forgotten(cursor: Cursors) -> int:
    """Delete the content that no key decrypts any more; return how many files."""
    return cursor.execute(_DELETE_FORGOTTEN).rowcount


def stored_since(cursor: Cursors, since: datetime) -> int:
    """Return how many bytes of files were stored since an instant."""
    row = cursor.execute(_STORED_SINCE, (since,)).fetchone()
    return int(row[0]) if row else 0


def load(
    cursor: Cursors, vault: Vault, incident: str, attachment: str, digest: str
) -> bytes | None:
    """Return the content of a file; None if it was destroyed or its owner forgotten.

    `digest` is that of the event, in hex. Raises `UnreadableContent` if the stored
    content is another one, or was moved.
    """
    row = _row(cursor, attachment)
    if row is None:
        return None
    if row.sha256.hex() != digest or row.incident != incident:
        raise UnreadableContent(
            f"the content of {attachment} is not the one that was attached to "
            f"{incident}: restore intake.attachments from a backup"
        )
    return _decrypted(vault, attachment, row)


def load_stored(
    cursor: Cursors, vault: Vault, attachment: str
) -> tuple[IncidentRef, bytes] | None:
    """Return a file's incident and content as stored, without comparing its event."""
    row = _row(cursor, attachment)
    if row is None:
        return None
    content = _decrypted(vault, attachment, row)
    return None if content is None else (row.incident, content)


class _Row(NamedTuple):
    incident: IncidentRef
    sealed_key: str
    sha256: bytes
    body: bytes


def _row(cursor: Cursors, attachment: str) -> _Row | None:
    row = cursor.execute(_LOAD, (attachment,), binary=True).fetchone()
    return None if row is None else _Row(row[0], row[1], bytes(row[2]), bytes(row[3]))


def _decrypted(vault: Vault, attachment: str, row: _Row) -> bytes | None:
    if sha256(row.body).digest() != row.sha256:
        raise UnreadableContent(
            f"the content of {attachment} was changed: restore intake.attachments "
            "from a backup"
        )
    try:
        key = vault.open(row.sealed_key, _place(row.incident, attachment))
        if key is None:
            return None
        nonce, hidden = row.body[:_NONCE_BYTES], row.body[_NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, hidden, UUID(attachment).bytes)
    except (InvalidTag, VaultError) as error:
        raise UnreadableContent(
            f"the content of {attachment} does not belong to it: it was moved"
        ) from error


def _place(incident: str, attachment: str) -> str:
    return f"attachment|{incident}|{attachment}"
