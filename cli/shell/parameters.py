"""Arguments and options that several commands share, and how they are read.

An instant has a zone. A day means its beginning at midnight UTC, the zone in which
commands show instants. What is written wrongly ends the command; the message has an
example.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from cli.shell.output import Exit, refused
from shared.domain.events.event import Actor
from shared.domain.identifiers import is_incident_ref

Ref = Annotated[str, typer.Argument(help="An incident: INC-000042.")]
Since = Annotated[
    str | None, typer.Option(help="Received since: `2025-06-30T09:00+02:00`.")
]
Until = Annotated[str | None, typer.Option(help="Received before, likewise.")]

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LINE_MAX = 200
_actors: TypeAdapter[str] = TypeAdapter(Actor)


def instant_in(written: str | None) -> datetime | None:
    """Return the instant in an option, None without one."""
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
        raise refused(sentence, Exit.INVALID)
    return instant


def demand_ref(written: str) -> None:
    """Exit unless `written` has the form of `INC-000042`."""
    if not is_incident_ref(written):
        sentence = (
            f"`{written}` is not the reference of an incident: write all six digits, "
            "such as INC-000042"
        )
        raise refused(sentence, Exit.INVALID)


def demand_actor(actor: str) -> None:
    """Exit unless `actor` is the name of a person or source."""
    try:
        _actors.validate_python(actor)
    except ValidationError as error:
        sentence = f"`{actor}` is not an actor: write person:<id> or source:<name>"
        raise refused(sentence, Exit.INVALID) from error
    if actor.startswith("system:"):
        sentence = "services need no token and have no words: name a person or source"
        raise refused(sentence, Exit.INVALID)


def demand_line(option: str, text: str, *, needed: bool = False) -> None:
    """Exit if `text` is missing or is not a single line."""
    if not text.isprintable() or len(text) > _LINE_MAX or (needed and not text.strip()):
        sentence = f"{option}: write one line of at most {_LINE_MAX} characters"
        raise refused(sentence, Exit.INVALID)
