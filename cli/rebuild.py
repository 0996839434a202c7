"""`permanence rebuild`: rebuilds a read model from the log, beside the live one.

Also removes forgotten words from read models that show words in clear.

The queue contains titles and label values in clear, so that they can be searched. An
overwritten row leaves its words in the table's file, so the generations that had them
are dropped as a whole.
"""

from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from cli.shell.desk import (
    HOME,
    Database,
    Home,
    VaultKey,
    database_of,
    master_of,
    reachable,
)
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from services.projections.generations import find_live
from services.projections.read_models import MODELS
from services.projections.rebuild.builder import Builder, Busy, builder, connected
from services.projections.rebuild.processes import WorkerFailed
from services.projections.rebuild.rebuild import (
    NoEarlierGeneration,
    Rebuilt,
    discard_previous,
    rebuild,
    rollback,
)
from shared.clock import real_clock
from shared.eventlog.errors import Unavailable
from shared.vault.master_keys import MasterKeys

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
    """Rebuild a read model from the log and make it live in one moment.

    Exit codes: 0 done, 1 it differs from the live one, which stays live, 2 wrong
    arguments, 3 the database is unavailable, 4 somebody else is rebuilding it.
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


_OPENING = tuple(model for model in MODELS.values() if model.opens_words)


def shown(url: str) -> bool:
    """Tell whether a read model that shows words in clear was ever built."""
    with closing(connected(url)) as connection:
        cursor = connection.cursor()
        return any(find_live(cursor, model.name) for model in _OPENING)


def clear(url: str, master: MasterKeys, *, hidden: bool) -> str | None:
    """Rebuild those read models and drop all their other generations.

    Returns a message if that was not possible.
    """
    for model in _OPENING:
        try:
            with (
                builder(url, master, model) as own,
                bar(_STAGES, hidden=hidden) as told,
            ):
                rebuild(own, real_clock, told, accept=True)
                discard_previous(own)
        except (Busy, WorkerFailed, Unavailable) as error:
            return f"{model.name} still shows titles ({error}): run this command again"
    return None
