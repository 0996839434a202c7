"""A letter as read: who wrote, what about, in which words, and whether a person did."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.security.signed_links import ReplyTag

LETTER_BYTES_MAX = 10 * 1024 * 1024
"""What is read of a mail; of a longer one, only its beginning."""
KEPT_WORDS_MAX = 200_000
"""Characters of its words that are kept with it; a contact holds fewer."""
ATTACHMENTS_MAX = 50
"""Attachments that are named, each on a line; more are only counted."""
PARTS_MAX = 1_000
"""Parts of a mail that are looked at."""
INCIDENTS_MAX = 20
"""Incidents that one letter may name; it belongs to the first there is."""
ADDRESS_MAX = 254
NAME_MAX = 200
SUBJECT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came with a letter: its name, kind and size; its content is not kept."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody wrote to the desk.

    `key` is the same for the same mail, however often and on whatever way it comes.
    `automatic` says why no person wrote it, None where one did. `words` are verbatim,
    with whatever they quote; `fresh` is what comes before that.
    """

    key: UUID
    sender: str
    """The address, in small letters; empty if it cannot be read."""
    name: str
    subject: str
    words: str
    fresh: str
    incidents: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    automatic: str | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
    service: str | None = None
    language: str | None = None
    """Service and language are said in the form only."""
    authentic: bool = False
    """The server that received it says that its sender's domain did send it."""
    tags: tuple[ReplyTag, ...] = ()
    """What it shows of a mail of ours that it answers."""
