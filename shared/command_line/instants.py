"""Instants on the command line: with their zone, or they are none."""

from datetime import datetime

from shared.command_line.answers import Exit, refused


def instant_in(written: str | None, *, as_json: bool) -> datetime | None:
    """Return the instant an option names, None without one; or end with a sentence."""
    if written is None:
        return None
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        sentence = f"{written} is no instant with a zone: write 2025-06-30T09:38+02:00"
        raise refused(as_json, sentence, Exit.INVALID)
    return instant
