"""`permanence vault`: forget a person, and rotate the master key."""

import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import psycopg
import typer

from cli.rebuild import (
    delete_hashes,
    forget_words,
    hash_again,
    shows_words,
    url_to_build,
)
from cli.shell.desk import (
    DeskAddress,
    ProjectionsDatabase,
    VaultKey,
    desk_of,
    master_in,
    reachable,
    remember,
)
from cli.shell.output import AsJson, Exit, answer, counted, refused
from cli.shell.parameters import demand_actor, demand_line
from shared.attachments.content import delete_forgotten
from shared.contact_methods.store import delete_values_of
from shared.vault.master_keys import MasterKeys, fresh_key, text_of
from shared.vault.rotation import FORGETTABLE, KEYS, erase, rewrap
from shared.vault.vault import REMEMBERED_SECONDS, VaultError, forget, was_forgotten
from standalone.credentials import vault_key_file
from standalone.folder import write_private

Pause = Callable[[float], None]
pause: Pause = time.sleep
_COPIES = (
    "The bytes of the key remain in backups, in archived WAL and, until PostgreSQL "
    "writes over it, in its own."
)


Owner = Annotated[str, typer.Argument(help="person:<id> or source:<name>.")]
Reason = Annotated[str, typer.Option(help="Why; kept beside the destroyed key.")]
Yes = Annotated[bool, typer.Option("--yes", help="Yes, for ever.")]


app = typer.Typer()
vault = typer.Typer(
    callback=remember, help="The keys of personal words.", no_args_is_help=True
)
app.add_typer(vault, name="vault")


@vault.command("rotate")
def rotate(
    ctx: typer.Context,
    finish: Annotated[
        bool,
        typer.Option("--finish", help="Drop the former master key: it opens nothing."),
    ] = False,
    vault_key: VaultKey = None,
    projections_database: ProjectionsDatabase = None,
    as_json: AsJson = False,
) -> None:
    """Wrap every key under a new master key, while the services run.

    Puts a new key before the present one in the file, unless there are two already.
    After an interruption, run it again. Once every service has the new key, `--finish`
    rebuilds the hashes for searches, then takes the former one out of the file. Exit
    codes: 0 done, 1 something is left, 2 the file or an option is wrong, 3 the desk is
    not reachable.
    """
    desk = replace(desk_of(ctx), projections=projections_database)
    desk.url()
    file = vault_key or vault_key_file(desk.home)
    master = master_in(file)
    if len(master.keys) == 1 and not finish:
        _rewrapped(desk, master)  # it opens every key of this database
        _replace(file, [fresh_key(), *master.keys])
        master = master_in(file)
    rewrapped = _rewrapped(desk, master)
    if finish:
        _finish(desk, file, master, rewrapped)
        return
    sentence = (
        f"{counted(rewrapped, 'key')} wrapped under the new master key. Copy {file} to "
        "where you keep its backup now. When every service reads this file, or was "
        "started again with a copy of it, run this command with --finish."
    )
    answer({"rewrapped": rewrapped, "former": len(master.keys) - 1}, sentence)


def _finish(desk: DeskAddress, file: Path, master: MasterKeys, late: int) -> None:
    if late:
        sentence = (
            f"{counted(late, 'key')} were still under a former master key, and are not "
            "now: if a service reads another file, start it again with the new one, "
            "then run this command again"
        )
        raise refused(sentence, Exit.DIFFERS)
    with reachable():
        # Before the former key is gone: until then its hashes are found, too.
        if problem := hash_again(desk, master):
            raise refused(problem, Exit.DIFFERS)
        if len(master.keys) > 1:
            _replace(file, master.keys[:1])
        left = _erased(desk.url(), KEYS)
    sentence = (
        f"{file} holds the new master key alone. Old backups need the former one."
    )
    answer({"rewrapped": 0, "former": 0, "left": left}, sentence, *left)
    if left:
        raise typer.Exit(Exit.DIFFERS)


def _rewrapped(desk: DeskAddress, master: MasterKeys) -> int:
    with desk.log() as log:
        try:
            return rewrap(log.transaction, master)
        except VaultError as error:
            raise refused(str(error), Exit.INVALID) from error


def _replace(file: Path, keys: Sequence[bytes]) -> None:
    """Write these keys to the file atomically; its owner does not change."""
    was = file.stat()
    try:
        write_private(file, text_of(keys))
        file.chmod(stat.S_IMODE(was.st_mode))
        if os.geteuid() == 0:
            os.chown(file, was.st_uid, was.st_gid)
    except OSError as error:
        sentence = (
            f"{file} cannot be written ({error.strerror}): write the keys there "
            "yourself, the new one first, see docs/how-to/rotate-keys-and-tokens.md"
        )
        raise refused(sentence, Exit.INVALID) from error


@vault.command("forget")
def forget_command(  # noqa: PLR0913, PLR0917 # each is an option
    ctx: typer.Context,
    owner: Owner,
    reason: Reason,
    yes: Yes = False,
    vault_key: VaultKey = None,
    projections_database: ProjectionsDatabase = None,
    as_json: AsJson = False,
) -> None:
    """Destroy the key of a person or source: what it sealed becomes unreadable.

    Deletes the hashes by which it is searched, attached files and a person's contact
    methods, rewrites the tables of keys, people and contact methods, and a few seconds
    later, when running services have dropped the key too, rebuilds the read models that
    have words: the queue shows titles. Repeat it after an error: it completes what is
    left. Exit codes: 0 done, 1 something is left, 2 an option is wrong, 3 the desk is
    not reachable.
    """
    demand_actor(owner)
    demand_line("--reason", reason, needed=True)
    if not yes:
        sentence = (
            f"this makes every word about {owner} unreadable for ever: say --yes "
            "to do it"
        )
        raise refused(sentence, Exit.INVALID)
    desk = replace(desk_of(ctx), projections=projections_database)
    with reachable():
        _forget(desk, owner, reason, vault_key)


def _forget(desk: DeskAddress, owner: str, reason: str, vault_key: Path | None) -> None:
    words = _words_if_any(desk, vault_key)
    with desk.log_and_clock() as (log, clock), log.transaction() as cursor:
        forgotten = forget(cursor, owner, reason, clock())
        known = forgotten or was_forgotten(cursor, owner)
        delete_values_of(cursor, owner.removeprefix("person:"))
    tables = FORGETTABLE if owner.startswith("person:") else KEYS
    if not known:
        left = _erased(desk.url(), tables)
        sentence = f"{owner} has no key: nothing is kept under it."
        answer({"owner": owner, "forgotten": False, "left": left}, sentence, *left)
        if left:
            raise typer.Exit(Exit.DIFFERS)
        return
    if words is not None:
        delete_hashes(words.url, owner)
    with desk.log() as log, log.transaction() as cursor:
        delete_forgotten(cursor)
    left = []
    if words is not None:
        pause(REMEMBERED_SECONDS)
        if problem := forget_words(words.url, words.master):
            left.append(problem)
    left += _erased(desk.url(), tables)
    done = "is destroyed" if forgotten else "had been destroyed before"
    rest = f"but {'; '.join(left)}" if left else "and no title is shown any more"
    sentence = f"The key of {owner} {done}, {rest}. {_COPIES}"
    answer({"owner": owner, "forgotten": forgotten, "left": left}, sentence)
    if left:
        raise typer.Exit(Exit.DIFFERS)


class _Words(NamedTuple):
    """Where read models that have words are built again, and with which keys."""

    url: str
    master: MasterKeys


def _words_if_any(desk: DeskAddress, vault_key: Path | None) -> _Words | None:
    """Return how to rebuild what shows words, None if nothing does; or exit.

    Before the key is destroyed: what shows its words has to go as well.
    """
    if not shows_words(desk.url()):
        return None
    master = desk.master(vault_key)
    if master is None:
        sentence = "the queue shows titles: name the master key with --vault-key"
        raise refused(sentence, Exit.INVALID)
    return _Words(url_to_build(desk), master)


def _erased(url: str, tables: Sequence[str]) -> list[str]:
    """Return what is left of former rows of these tables, nothing if all are gone."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        return erase(connection, tables)
