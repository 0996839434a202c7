"""`permanence rebuild`: a read model rebuilt from the log, beside the live one."""

from dataclasses import asdict
from typing import Annotated

import typer

from services.projections.read_models import MODELS
from services.projections.rebuild.builder import Builder, Busy, builder
from services.projections.rebuild.processes import WorkerFailed
from services.projections.rebuild.rebuild import (
    NoEarlierGeneration,
    Rebuilt,
    rebuild,
    rollback,
)
from shared.clock import real_clock
from shared.command_line.answers import AsJson, Exit, answer, counted, refused
from shared.command_line.bar import bar
from shared.command_line.desk import (
    HOME,
    Database,
    Home,
    VaultKey,
    database_of,
    master_of,
    reachable,
)

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
    """Build a read model again from the log and make it live in one moment.

    Exit codes: 0 done, 1 it differs from the live one, which stays live, 2 wrong
    arguments, 3 the database is away, 4 somebody else rebuilds it.
    """
    model = MODELS.get(name)
    if model is None:
        sentence = f"no read model {name}: there are {', '.join(MODELS)}"
        raise refused(as_json, sentence, Exit.INVALID)
    url = database_of(database, home, as_json=as_json)
    master = master_of(home, vault_key, as_json=as_json)
    if model.opens_words and master is None:
        sentence = f"{name} shows personal words: name the master key with --vault-key"
        raise refused(as_json, sentence, Exit.INVALID)
    with reachable(as_json=as_json):
        try:
            with builder(url, master, model) as own:
                if go_back:
                    _go_back(own, as_json=as_json)
                else:
                    _build(own, accept=accept_difference, as_json=as_json)
        except Busy as error:
            raise refused(as_json, str(error), Exit.OUTRUN) from error
        except NoEarlierGeneration as error:
            raise refused(as_json, str(error), Exit.INVALID) from error
        except WorkerFailed as error:
            raise refused(as_json, str(error), Exit.UNREACHABLE) from error


def _go_back(own: Builder, *, as_json: bool) -> None:
    name, schema = own.model.name, rollback(own, real_clock)
    plain = {"name": name, "schema": schema}
    answer(as_json, plain, f"{name}: {schema} is live again")


def _build(own: Builder, *, accept: bool, as_json: bool) -> None:
    with bar(_STAGES, hidden=as_json) as told:
        done = rebuild(own, real_clock, told, accept=accept)
    answer(as_json, asdict(done), _said(done))
    if not done.flipped:
        raise typer.Exit(Exit.DIFFERS)


def _said(done: Rebuilt) -> str:
    parked = f", {counted(done.parked, 'stream')} parked" if done.parked else ""
    if not done.flipped:
        return (
            f"{done.name}: {done.schema} differs from the live one, which stays live. "
            "Look at both; take the new one with --accept-difference"
        )
    same = {True: ", the same as before", False: ", unlike before", None: ""}
    return (
        f"{done.name}: {done.schema} is live at position {done.position}"
        f"{same[done.same]}{parked}: "
        f"{counted(done.events, 'event')} in {done.seconds:.1f} s"
    )
