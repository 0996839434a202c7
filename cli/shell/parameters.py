"""Parses instants and references on the command line; errors include an example.

An instant has a zone. A day means its beginning at midnight UTC, the zone in which
commands show instants.
"""

import re
from datetime import UTC, datetime

from cli.shell.output import Exit, refused
from shared.domain.identifiers import is_incident_ref

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def instant_in(written: str | None, *, as_json: bool) -> datetime | None:
    """Return the instant in an option, None without one; or exit with a message."""
    if written is None:
        return None
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        instant = None
    if instant is not None and _DAY.fullmatch(written):
        return instant.replace(tzinfo=UTC)
    if instant is None or instant.tzinfo is None:
        sentence = (
            f"`{written}` is not an instant with its zone: write "
            "2025-06-30T09:38+02:00, or a day, 2025-06-30, for its beginning in UTC"
        )
        raise refused(as_json, sentence, Exit.INVALID)
    return instant


def demand_ref(written: str, *, as_json: bool) -> None:
    """Exit with a message if `written` does not have the form of `INC-000042`."""
    if not is_incident_ref(written):
        sentence = (
            f"`{written}` is not the reference of an incident: write all six digits, "
            "such as INC-000042"
        )
        raise refused(as_json, sentence, Exit.INVALID)
