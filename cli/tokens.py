"""`permanence token`: create, list and revoke the tokens of people and sources.

Exit codes: 0 done, 2 an option is wrong, 3 the desk is not reachable.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, get_args

import typer
from pydantic import TypeAdapter, ValidationError
from rich.text import Text

from cli.shell.desk import log_of, remember
from cli.shell.output import AsJson, Exit, answer, plain_text, refused, table_of
from services.intake.source_activity.store import last_used
from shared.domain.events.event import Actor
from shared.messaging.commands import Scope
from shared.security import access
from shared.security.access import REMEMBERED_SECONDS, TokenRow

token = typer.Typer(
    callback=remember, help="Bearer tokens: who may call.", no_args_is_help=True
)
SCOPES: tuple[Scope, ...] = get_args(Scope)
_LINE_MAX = 200
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_actors: TypeAdapter[str] = TypeAdapter(Actor)


@token.command()
def create(
    ctx: typer.Context,
    actor: Annotated[str, typer.Option(help="person:<id> or source:<name>.")],
    scope: Annotated[
        list[str], typer.Option(help=f"What it may do: {', '.join(SCOPES)}.")
    ],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires_in: Annotated[
        str | None, typer.Option(help="12h, 30d; left out: it lives until revoked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a token and show it, this once: only its hash is kept."""
    scopes = _scopes(demand_actor(actor, as_json=as_json), scope, as_json=as_json)
    demand_line("--label", label, as_json=as_json)
    lifetime = _lifetime(expires_in, as_json=as_json)
    with log_of(ctx, as_json=as_json) as (log, clock):
        now = clock()
        expires_at = None if lifetime is None else now + lifetime
        with log.transaction() as cursor:
            made = access.create(
                cursor, now, actor, scopes, label=label, expires_at=expires_at
            )
    plain = {
        "token": made.token,
        "token_id": made.token_id,
        "actor": actor,
        "scopes": scopes,
        "expires_at": expires_at,
    }
    answer(as_json, plain, made.token, "Keep it: it is not shown again.")


@token.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List all tokens ever made, without their secrets.

    The time of last use is accurate to a minute.
    """
    with log_of(ctx, as_json=as_json) as (log, clock):
        now = clock()
        with log.transaction() as cursor:
            rows = access.tokens(cursor)
            used = {**access.last_used(cursor), **last_used(cursor)}
    table = table_of("id", "actor", "scopes", "label", "state", "last used")
    for row in rows:
        cells = (row.token_id, row.actor, " ".join(row.scopes), row.label)
        at = used.get(row.token_id)
        use = plain_text(at.replace(microsecond=0)) if at else "-"
        table.add_row(*(Text(cell) for cell in cells), _state(row, now), use)
    plain = [
        asdict(row) | {"state": _state(row, now), "last_used": used.get(row.token_id)}
        for row in rows
    ]
    answer(as_json, plain, table)


@token.command()
def revoke(
    ctx: typer.Context,
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As in the list.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a token for good."""
    with (
        log_of(ctx, as_json=as_json) as (log, clock),
        log.transaction() as cursor,
    ):
        known = {row.token_id for row in access.tokens(cursor)}
        revoked = access.revoke(cursor, token_id, clock())
    if token_id not in known:
        sentence = f"no token has the id {token_id}: see `permanence token list`"
        raise refused(as_json, sentence, Exit.INVALID)
    said = (
        f"Revoked; running services refuse it within {REMEMBERED_SECONDS:.0f} s."
        if revoked
        else "It was revoked before. Nothing was done."
    )
    answer(as_json, {"token_id": token_id, "revoked": revoked}, said)


def demand_actor(actor: str, *, as_json: bool) -> str:
    """Return the name of a person or source, or exit with a message."""
    try:
        _actors.validate_python(actor)
    except ValidationError as error:
        sentence = f"{actor!r} is nobody: write person:<id> or source:<name>"
        raise refused(as_json, sentence, Exit.INVALID) from error
    if actor.startswith("system:"):
        sentence = "services need no token and have no words: name a person or source"
        raise refused(as_json, sentence, Exit.INVALID)
    return actor


def _scopes(actor: str, wanted: Sequence[str], *, as_json: bool) -> list[Scope]:
    scopes = [scope for scope in SCOPES if scope in wanted]
    unknown = sorted(set(wanted) - set(SCOPES))
    if unknown:
        sentence = f"no scope {', '.join(unknown)}: there are {', '.join(SCOPES)}"
        raise refused(as_json, sentence, Exit.INVALID)
    fitting = {"source"} if actor.startswith("source:") else set(SCOPES) - {"source"}
    if not fitting.issuperset(scopes):
        sentence = "a source has the scope source and no other; a person has the others"
        raise refused(as_json, sentence, Exit.INVALID)
    return scopes


def _lifetime(text: str | None, *, as_json: bool) -> timedelta | None:
    if text is None:
        return None
    written = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", text)
    if written is None:
        sentence = f"--expires-in {text}: write minutes, hours or days: 90m, 12h, 30d"
        raise refused(as_json, sentence, Exit.INVALID)
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


def demand_line(option: str, text: str, *, as_json: bool, needed: bool = False) -> None:
    """Exit with a message if `text` is missing or is not a single line."""
    if not text.isprintable() or len(text) > _LINE_MAX or (needed and not text.strip()):
        sentence = f"{option}: write one line of at most {_LINE_MAX} characters"
        raise refused(as_json, sentence, Exit.INVALID)


def _state(row: TokenRow, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "living"
