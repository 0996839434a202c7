"""`permanence session`: list and end the sessions of people."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.shell.desk import desk_of, remember
from cli.shell.output import AsJson, Exit, answer, plain_text, refused
from cli.shell.parameters import demand_actor
from cli.shell.table import Table
from shared.security.access import REMEMBERED_SECONDS
from shared.security.sessions import living_sessions, revoke_sessions

app = typer.Typer()
session = typer.Typer(
    callback=remember,
    help="Sessions: who is signed in.\n\n"
    "Exit codes: 0 done, 2 an option is wrong, 3 the desk is not reachable.",
    no_args_is_help=True,
)
app.add_typer(session, name="session")

_PERSON = "person:"
_Whose = Annotated[str | None, typer.Option("--person", help="An id: nadia.")]


@session.command("list")
def list_(ctx: typer.Context, person: _Whose = None, as_json: AsJson = False) -> None:
    """List who is signed in, how and since when, the newest first."""
    actor = _actor(person)
    with desk_of(ctx).log_and_clock() as (log, clock), log.transaction() as cursor:
        found = living_sessions(cursor, clock(), actor)
    rows = [
        (
            each.session_id,
            each.actor,
            each.method,
            each.device or "-",
            plain_text(each.created_at.replace(microsecond=0)),
            plain_text(each.last_used.replace(microsecond=0)),
        )
        for each in found
    ]
    columns = ("id", "actor", "signed in by", "device", "since", "last used")
    table = Table(columns, rows, empty="Nobody is signed in.")
    answer([asdict(each) for each in found], table)


@session.command()
def revoke(
    ctx: typer.Context,
    session_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="As in the list.")
    ] = None,
    person: _Whose = None,
    as_json: AsJson = False,
) -> None:
    """End a session, or with --person all sessions of somebody."""
    if (session_id is None) == (person is None):
        sentence = "write the id of a session, or --person for all of somebody's"
        raise refused(sentence, Exit.INVALID)
    actor = _actor(person)
    with desk_of(ctx).log_and_clock() as (log, clock), log.transaction() as cursor:
        ended = revoke_sessions(cursor, clock(), session_id=session_id, actor=actor)
    if session_id is not None and not ended:
        sentence = f"no session {session_id} is open: see `permanence session list`"
        raise refused(sentence, Exit.INVALID)
    said = (
        f"{ended} ended: nothing is changed with them any more, and nothing is read "
        f"after {REMEMBERED_SECONDS:.0f} s."
    )
    answer({"revoked": ended}, said)


def _actor(person: str | None) -> str | None:
    if person is None:
        return None
    actor = f"{_PERSON}{person.removeprefix(_PERSON)}"
    demand_actor(actor)
    return actor
