"""`permanence rebuild`: rebuilds a read model from the log, beside the live one.

Also removes forgotten words from read models that have words.

The queue contains titles and label values in clear, so that they can be searched; all
other words are searched by hashes. An overwritten row leaves its words in the table's
file, so the generations that had them are dropped as a whole.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from typing import Annotated, Any

import typer
from psycopg import Connection

from cli.shell.desk import (
    HOME,
    Database,
    DeskAddress,
    Home,
    ProjectionsDatabase,
    VaultKey,
    reachable,
)
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from services.projections.generations import ReadModel, generations
from services.projections.read_models import MODELS, WORDS
from services.projections.rebuild.builder import (
    Builder,
    Busy,
    WrongLogin,
    builder,
    connected,
    logged_in,
)
from services.projections.rebuild.load import STAGES
from services.projections.rebuild.rebuild import (
    NoEarlierGeneration,
    Rebuilt,
    discard_previous,
    rebuild,
    rollback,
)
from services.projections.rebuild.worker import WorkerFailed, WorkersEnded
from services.projections.words.store import delete_words_of
from shared.clock import real_clock
from shared.eventlog.errors import Unavailable
from shared.vault.master_keys import MasterKeys

app = typer.Typer()

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


@app.command("rebuild")
def rebuild_command(  # noqa: PLR0913, PLR0917 # each is an option
    name: Name,
    go_back: Rollback = False,
    accept_difference: Accept = False,
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    projections_database: ProjectionsDatabase = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild a read model from the log and make it live in one moment.

    Works as the role desk_projections alone.

    Exit codes: 0 done, 1 it differs from the live one, which stays live, 2 wrong
    arguments, 3 the database is unavailable, 4 somebody else is rebuilding it.
    """
    model = MODELS.get(name)
    if model is None:
        sentence = f"no read model {name}: choose one of {', '.join(MODELS)}"
        raise refused(sentence, Exit.INVALID)
    desk = DeskAddress(database, home, projections=projections_database)
    url = desk.projections_url()
    master = desk.master(vault_key)
    if model.opens_words and master is None:
        sentence = f"{name} shows personal words: name the master key with --vault-key"
        raise refused(sentence, Exit.INVALID)
    with reachable():
        try:
            with builder(url, master, model) as own:
                if go_back:
                    _go_back(own)
                else:
                    _build(own, accept=accept_difference)
        except Busy as error:
            raise refused(str(error), Exit.OUTRUN) from error
        except NoEarlierGeneration as error:
            raise refused(str(error), Exit.INVALID) from error
        except WrongLogin as error:
            raise _unnamed(error) from error
        except (WorkerFailed, WorkersEnded) as error:
            raise refused(str(error), Exit.UNREACHABLE) from error


def _go_back(own: Builder) -> None:
    name, schema = own.model.name, rollback(own, real_clock)
    plain = {"name": name, "schema": schema}
    answer(plain, f"{name}: {schema} is live again")


def _build(own: Builder, *, accept: bool) -> None:
    with bar(STAGES) as report:
        done = rebuild(own, real_clock, report, accept=accept)
    answer(asdict(done), _sentence(done))
    if not done.flipped:
        raise typer.Exit(Exit.DIFFERS)


def _sentence(done: Rebuilt) -> str:
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


def shows_words(url: str) -> bool:
    """Tell whether a read model that has words was ever built, or begun."""
    with closing(connected(url)) as connection:
        cursor = connection.cursor()
        return any(generations(cursor, model.name) for model in _OPENING)


def url_to_build(desk: DeskAddress) -> str:
    """Return the URL to change read models at, or exit before anything is done.

    Raises `Unavailable`. A copy of a database has another postmaster or another oid.
    """
    url = desk.projections_url()
    try:
        with logged_in(url) as own, closing(connected(desk.url())) as ours:
            same = _place(own) == _place(ours)
    except WrongLogin as error:
        raise _unnamed(error) from error
    if not same:
        sentence = (
            "--projections-database names another database than DATABASE_URL: name the "
            "same one twice, once as desk_projections"
        )
        raise refused(sentence, Exit.INVALID)
    return url


_PLACE = """
SELECT system_identifier, pg_postmaster_start_time(),
       (SELECT oid FROM pg_database WHERE datname = current_database())
FROM pg_control_system()
"""


def _place(connection: Connection[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    return connection.execute(_PLACE).fetchone()


def _unnamed(error: WrongLogin) -> typer.Exit:
    sentence = (
        f"{error}: name its address with --projections-database "
        "(PERMANENCE_PROJECTIONS_DATABASE_URL), see "
        "docs/how-to/rebuild-a-read-model.md"
    )
    return refused(sentence, Exit.INVALID)


def delete_hashes(url: str, owner: str) -> None:
    """Delete the hashes of the words of `owner` from every generation at once."""
    with logged_in(url) as connection:
        cursor = connection.cursor()
        for schema in generations(cursor, WORDS.name):
            # A generation that is being built is created in one transaction.
            delete_words_of(cursor, schema, owner)


def forget_words(url: str, master: MasterKeys) -> str | None:
    """Rebuild those read models and drop all their other generations.

    Returns a message if that was not possible.
    """
    return _renewed(url, master, _OPENING)


def hash_again(desk: DeskAddress, master: MasterKeys) -> str | None:
    """Rebuild what has hashes under a former key, and drop all other generations.

    Returns a message if that was not possible.
    """
    with closing(connected(desk.url())) as connection:
        cursor = connection.cursor()
        built = [m for m in _OPENING if m.keyed and generations(cursor, m.name)]
    return _renewed(url_to_build(desk), master, built) if built else None


def _renewed(
    url: str, master: MasterKeys, models: Iterable[ReadModel[Any]]
) -> str | None:
    for model in models:
        try:
            with (
                builder(url, master, model) as own,
                bar(STAGES) as report,
            ):
                rebuild(own, real_clock, report, accept=True)
                discard_previous(own)
        except (Busy, WorkerFailed, WorkersEnded, Unavailable) as error:
            return f"{model.name} still has words ({error}): run this command again"
    return None
