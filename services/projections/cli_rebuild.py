"""`permanence rebuild`: a read model made anew from the log, beside the live one."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from services.projections.cli_bar import bar
from services.projections.cli_desk import (
    HOME,
    Address,
    AsJson,
    Database,
    Exit,
    Home,
    VaultKey,
    address,
    reachable,
    refuse,
)
from services.projections.models import MODELS
from services.projections.read_model import ReadModel
from services.projections.rebuild.builder import Busy, builder
from services.projections.rebuild.processes import WorkerFailed
from services.projections.rebuild.rebuild import NoOther, Rebuilt, rebuild, rollback
from shared.clock import real_clock

_STAGES = {"fold": "reading the log", "index": "making indexes", "compare": "comparing"}

Name = Annotated[str, typer.Argument(help=f"Which one: {', '.join(MODELS)}.")]
Rollback = Annotated[
    bool,
    typer.Option(
        "--rollback", help="Make the generation before live again, brought up to now."
    ),
]
Accept = Annotated[
    bool,
    typer.Option(
        "--accept-difference",
        help="Take the new one even where it differs from the live one.",
    ),
]


def rebuild_command(  # noqa: PLR0913, PLR0917 # each is an option
    name: Name,
    go_back: Rollback = False,
    accept_difference: Accept = False,
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Build a read model anew from the log and make it live in one moment.

    Exit codes: 0 done, 1 it differs from the live one, which stays live, 2 wrong
    arguments, 3 the database is away, 4 somebody else rebuilds it.
    """
    model = MODELS.get(name)
    if model is None:
        sentence = f"no read model {name}: there are {', '.join(MODELS)}"
        refuse(as_json, sentence, Exit.INVALID)
    desk = address(database, home, vault_key, as_json=as_json)
    if model.opens_words and desk.master is None:
        sentence = f"{name} shows personal words: name the master key with --vault-key"
        refuse(as_json, sentence, Exit.INVALID)
    with reachable(as_json=as_json):
        try:
            if go_back:
                _go_back(desk, model, as_json=as_json)
            else:
                _build(desk, model, accept=accept_difference, as_json=as_json)
        except Busy as error:
            refuse(as_json, str(error), Exit.BUSY)
        except NoOther as error:
            refuse(as_json, str(error), Exit.INVALID)
        except WorkerFailed as error:
            refuse(as_json, str(error), Exit.UNREACHABLE)


def _go_back(desk: Address, model: ReadModel[Any], *, as_json: bool) -> None:
    with builder(desk.dsn, desk.master, model) as own:
        schema = rollback(own, real_clock)
    if as_json:
        typer.echo(json.dumps({"name": model.name, "schema": schema}))
    else:
        Console().print(Text(f"{model.name}: {schema} is live again"))


def _build(
    desk: Address, model: ReadModel[Any], *, accept: bool, as_json: bool
) -> None:
    with (
        builder(desk.dsn, desk.master, model) as own,
        bar(_STAGES, hidden=as_json) as told,
    ):
        done = rebuild(own, real_clock, told, accept=accept)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        Console(soft_wrap=True).print(Text(_said(done)))
    if not done.flipped:
        raise typer.Exit(Exit.DIFFERS)


def _said(done: Rebuilt) -> str:
    parked = f", {done.parked} streams parked" if done.parked else ""
    if not done.flipped:
        return (
            f"{done.name}: {done.schema} differs from the live one, which stays live. "
            "Look at both; take the new one with --accept-difference"
        )
    same = {True: ", the same as before", False: ", unlike before", None: ""}
    return (
        f"{done.name}: {done.schema} is live at position {done.position}"
        f"{same[done.same]}{parked}: "
        f"{done.events} events in {done.seconds:.1f} s"
    )
