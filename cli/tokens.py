"""`permanence token`: create, list and revoke the tokens of people and sources."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, get_args

import typer
from psycopg import Cursor

from cli.shell.desk import desk_of, remember
from cli.shell.output import AsJson, Exit, answer, plain_text, refused
from cli.shell.parameters import demand_actor, demand_line
from cli.shell.table import Table
from services.intake.gate.activity_store import last_used
from shared.domain.limits import EVERYTHING, Limits, names_of
from shared.domain.policy.clause import NAME
from shared.messaging.commands import Scope
from shared.security import access
from shared.security.access import REMEMBERED_SECONDS, TokenRow
from shared.security.rights import is_removed

app = typer.Typer()
token = typer.Typer(
    callback=remember,
    help="Bearer tokens: who may call.\n\n"
    "Exit codes: 0 done, 2 an option is wrong, 3 the desk is not reachable.",
    no_args_is_help=True,
)
app.add_typer(token, name="token")
LimitTo = Annotated[
    list[str] | None,
    typer.Option(help="Only records of this one; repeat it for several."),
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@token.command()
def create(  # noqa: PLR0913, PLR0917 # an option each
    ctx: typer.Context,
    actor: Annotated[str, typer.Option(help="person:<id> or source:<name>.")],
    scope: Annotated[
        list[str], typer.Option(help=f"What it may do: {', '.join(SCOPES)}.")
    ],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires_in: Annotated[
        str | None, typer.Option(help="12h, 30d; left out: it lives until revoked.")
    ] = None,
    client: LimitTo = None,
    service: LimitTo = None,
    team: LimitTo = None,
    as_json: AsJson = False,
) -> None:
    """Create a token and show it, this once: only its hash is kept."""
    demand_actor(actor)
    scopes = _scopes(actor, scope)
    demand_line("--label", label)
    lifetime = _lifetime(expires_in)
    limits = _limits(actor, scopes, (client, service, team))
    with desk_of(ctx).log_and_clock() as (log, clock):
        now = clock()
        expires_at = None if lifetime is None else now + lifetime
        with log.transaction() as cursor:
            _demand_present(cursor, actor)
            made = access.create(
                cursor,
                now,
                actor,
                scopes,
                label=label,
                expires_at=expires_at,
                limits=limits,
            )
    told = {"actor": actor, "scopes": scopes, "expires_at": expires_at}
    plain = {"token": made.token, "token_id": made.token_id, **told, **_plain(limits)}
    answer(plain, made.token, "Keep it: it is not shown again.")


def _demand_present(cursor: Cursor[Any], actor: str) -> None:
    if is_removed(cursor, actor.removeprefix("person:")):
        raise refused(
            f"{actor} was removed: bring them back first, with "
            "`permanence people grant`",
            Exit.INVALID,
        )


@token.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List all tokens ever made, without their secrets.

    The time of last use is accurate to a minute.
    """
    with desk_of(ctx).log_and_clock() as (log, clock):
        now = clock()
        with log.transaction() as cursor:
            rows = access.tokens(cursor)
            used = {**access.last_used(cursor), **last_used(cursor)}
    table = Table(
        ("id", "actor", "scopes", "limited to", "label", "state", "last used"),
        [
            (
                row.token_id,
                row.actor,
                " ".join(row.scopes),
                _limited_to(row),
                row.label,
                _state(row, now),
                _minute(used.get(row.token_id)),
            )
            for row in rows
        ],
        empty="No tokens found.",
    )
    plain = [
        asdict(row) | {"state": _state(row, now), "last_used": used.get(row.token_id)}
        for row in rows
    ]
    answer(plain, table)


@token.command()
def revoke(
    ctx: typer.Context,
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As in the list.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a token for good."""
    with desk_of(ctx).log_and_clock() as (log, clock), log.transaction() as cursor:
        known = {row.token_id for row in access.tokens(cursor)}
        revoked = access.revoke(cursor, token_id, clock())
    if token_id not in known:
        sentence = f"no token has the id {token_id}: see `permanence token list`"
        raise refused(sentence, Exit.INVALID)
    said = (
        f"Revoked; running services refuse it within {REMEMBERED_SECONDS:.0f} s."
        if revoked
        else "It was revoked before. Nothing was done."
    )
    answer({"token_id": token_id, "revoked": revoked}, said)


def _scopes(actor: str, wanted: Sequence[str]) -> list[Scope]:
    scopes = [scope for scope in SCOPES if scope in wanted]
    unknown = sorted(set(wanted) - set(SCOPES))
    if unknown:
        sentence = f"no scope {', '.join(unknown)}: choose one of {', '.join(SCOPES)}"
        raise refused(sentence, Exit.INVALID)
    fitting = {"source"} if actor.startswith("source:") else set(SCOPES) - {"source"}
    if not fitting.issuperset(scopes):
        sentence = "a source has the scope source and no other; a person has the others"
        raise refused(sentence, Exit.INVALID)
    return scopes


def _limits(
    actor: str, scopes: Sequence[Scope], named: tuple[list[str] | None, ...]
) -> Limits:
    limits = Limits(*(frozenset(names) if names else None for names in named))
    wrong = [
        name for names in named for name in names or () if not re.fullmatch(NAME, name)
    ]
    if wrong:
        sentence = f"no name of the policy: {', '.join(map(repr, wrong))}"
        raise refused(sentence, Exit.INVALID)
    if actor.startswith("source:") and limits != EVERYTHING:
        raise refused("a source has no such limits", Exit.INVALID)
    if "client" in scopes and limits.clients is None:
        sentence = "the scope client is for people of a client: name it with --client"
        raise refused(sentence, Exit.INVALID)
    return limits


def _plain(limits: Limits) -> dict[str, list[str] | None]:
    return names_of(limits)._asdict()


def _lifetime(text: str | None) -> timedelta | None:
    if text is None:
        return None
    written = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", text)
    if written is None:
        sentence = f"--expires-in {text}: write minutes, hours or days: 90m, 12h, 30d"
        raise refused(sentence, Exit.INVALID)
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


def _limited_to(row: TokenRow) -> str:
    kinds = (
        ("client", row.clients),
        ("service", row.services),
        ("team", row.teams),
    )
    named = (f"{kind} {', '.join(names)}" for kind, names in kinds if names is not None)
    return "; ".join(named) or "-"


def _minute(at: datetime | None) -> str:
    return plain_text(at.replace(microsecond=0)) if at else "-"


def _state(row: TokenRow, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "living"
