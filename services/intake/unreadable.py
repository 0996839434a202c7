"""A record that this version cannot read: whoever needs it waits, nobody else does.

A later version wrote an event of a type unknown here, a key of the vault is missing, or
stored words were changed. None of these is for ever.
"""

from shared.http.problem_details import HttpError

CODE = "record_unreadable"
RETRY_SECONDS = 60
"""What `Retry-After` says: an upgrade, or a key put back, takes some time."""
KEY_ROW = "key "
"""Begins what the row of a key is called here: its stored words cannot be opened."""


class RecordUnreadable(HttpError):
    """The answer to whoever needs a record that cannot be read at present."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref = ref
        self.sentence = f"{ref} cannot be read at present: {why}"
        super().__init__(
            503,
            f"{self.sentence}. Nothing was recorded: send it again later",
            code=CODE,
            retry_after=RETRY_SECONDS,
        )
