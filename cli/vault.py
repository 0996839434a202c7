"""`permanence vault`: forget a person, and rotate the master key."""

import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Protocol

import psycopg
import typer

from cli.shell.desk import (
    HOME,
    Address,
    VaultKey,
    database_of,
    log_of,
    master_of,
    reachable,
    remember,
)
from cli.shell.output import AsJson, Exit, answer, counted, refused
from cli.tokens import demand_actor, demand_line
from shared.vault.master_keys import MasterKeys, fresh_key, text_of
from shared.vault.rotation import erase, rewrap
from shared.vault.vault import (
    REMEMBERED_SECONDS,
    VaultError,
    forget,
    read_master_keys,
    was_forgotten,
)
from standalone.credentials import vault_key_file
from standalone.folder import write_private

Pause = Callable[[float], None]
pause: Pause = time.sleep
_COPIES = (
    "The bytes of the key remain in backups, in archived WAL and, until PostgreSQL "
    "writes over it, in its own."
)


class Titles(Protocol):
    """Read models that show words in clear."""

    def shown(self, url: str) -> bool:
        """Tell whether there are any."""

    def clear(self, url: str, master: MasterKeys, *, hidden: bool) -> str | None:
        """Rebuild them without what is forgotten; return why that was not possible."""


Owner = Annotated[str, typer.Argument(help="person:<id> or source:<name>.")]
Reason = Annotated[str, typer.Option(help="Why; kept beside the destroyed key.")]
Yes = Annotated[bool, typer.Option("--yes", help="Yes, for ever.")]


def vault_with(titles: Titles) -> typer.Typer:
    """Return the commands of `vault`; `forget` clears these titles."""
    vault = typer.Typer(
        callback=remember, help="The keys of personal words.", no_args_is_help=True
    )
    vault.command("rotate")(rotate)
    vault.command("forget")(forget_with(titles))
    return vault


def forget_with(titles: Titles) -> Callable[..., None]:
    """Return the command `forget`, which clears these titles."""

    def forget_command(  # its options
        ctx: typer.Context,
        owner: Owner,
        reason: Reason,
        yes: Yes = False,
        vault_key: VaultKey = None,
        as_json: AsJson = False,
    ) -> None:
        """Destroy the key of a person or source: what it sealed becomes unreadable.

        Rewrites the table of keys, and a few seconds later, when running services have
        dropped the key too, rebuilds the read models that show titles. Repeat it after
        an error: it completes what is left. Exit codes: 0 done, 1 something is left, 2
        an option is wrong, 3 the desk is not reachable.
        """
        demand_actor(owner, as_json=as_json)
        demand_line("--reason", reason, as_json=as_json, needed=True)
        if not yes:
            sentence = (
                f"this makes every word about {owner} unreadable for ever: say --yes "
                "to do it"
            )
            raise refused(as_json, sentence, Exit.INVALID)
        with reachable(as_json=as_json):
            _forget(titles, ctx, owner, reason, vault_key, as_json=as_json)

    return forget_command


def _forget(  # what the command was given
    titles: Titles,
    ctx: typer.Context,
    owner: str,
    reason: str,
    vault_key: Path | None,
    *,
    as_json: bool,
) -> None:
    url, home = _address(ctx, as_json=as_json)
    master = _master_for(titles, url, home, vault_key, as_json=as_json)
    with log_of(ctx, as_json=as_json) as (log, clock), log.transaction() as cursor:
        forgotten = forget(cursor, owner, reason, clock())
        known = forgotten or was_forgotten(cursor, owner)
    if not known:
        said = f"{owner} has no key: nothing is kept under it. Nothing was done."
        answer(as_json, {"owner": owner, "forgotten": False, "left": []}, said)
        return
    left = _erased(url)
    if master is not None:
        pause(REMEMBERED_SECONDS)
        left.append(titles.clear(url, master, hidden=as_json))
    _say(owner, list(filter(None, left)), forgotten=forgotten, as_json=as_json)


def _say(owner: str, left: list[str], *, forgotten: bool, as_json: bool) -> None:
    done = "is destroyed" if forgotten else "had been destroyed before"
    said = f"The key of {owner} {done}, and no title is shown any more. {_COPIES}"
    if left:
        said = f"The key of {owner} {done}, but {'; '.join(left)}. {_COPIES}"
    answer(as_json, {"owner": owner, "forgotten": forgotten, "left": left}, said)
    if left:
        raise typer.Exit(Exit.DIFFERS)


def rotate(
    ctx: typer.Context,
    finish: Annotated[
        bool,
        typer.Option("--finish", help="Drop the former master key: it opens nothing."),
    ] = False,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Wrap every key under a new master key, while the services run.

    Puts a new key before the present one in the file, unless there are two already.
    After an interruption, run it again. Once every service has the new key, `--finish`
    takes the former one out of the file. Exit codes: 0 done, 1 something is left, 2 the
    file or an option is wrong, 3 the desk is not reachable.
    """
    _, home = _address(ctx, as_json=as_json)
    file = vault_key or vault_key_file(home)
    master = _read(file, as_json=as_json)
    if len(master.keys) == 1 and not finish:
        _rewrapped(ctx, master, as_json=as_json)  # it opens every key of this database
        _replace(file, [fresh_key(), *master.keys], as_json=as_json)
        master = _read(file, as_json=as_json)
    rewrapped = _rewrapped(ctx, master, as_json=as_json)
    if finish:
        _finish(ctx, file, master, rewrapped, as_json=as_json)
        return
    said = (
        f"{counted(rewrapped, 'key')} wrapped under the new master key. Copy {file} to "
        "where you keep its backup now. When every service reads this file, or was "
        "started again with a copy of it, run this command with --finish."
    )
    plain = {"rewrapped": rewrapped, "former": len(master.keys) - 1}
    answer(as_json, plain, said)


def _finish(
    ctx: typer.Context, file: Path, master: MasterKeys, late: int, *, as_json: bool
) -> None:
    if late:
        sentence = (
            f"{counted(late, 'key')} were still under a former master key, and are not "
            "now: if a service reads another file, start it again with the new one, "
            "then run this command again"
        )
        raise refused(as_json, sentence, Exit.DIFFERS)
    if len(master.keys) > 1:
        _replace(file, master.keys[:1], as_json=as_json)
    url, _ = _address(ctx, as_json=as_json)
    with reachable(as_json=as_json):
        left = list(filter(None, _erased(url)))
    said = f"{file} holds the new master key alone. Old backups need the former one."
    answer(as_json, {"rewrapped": 0, "former": 0, "left": left}, said, *left)
    if left:
        raise typer.Exit(Exit.DIFFERS)


def _rewrapped(ctx: typer.Context, master: MasterKeys, *, as_json: bool) -> int:
    with log_of(ctx, as_json=as_json) as (log, _):
        try:
            return rewrap(log.transaction, master)
        except VaultError as error:
            raise refused(as_json, str(error), Exit.INVALID) from error


def _read(file: Path, *, as_json: bool) -> MasterKeys:
    try:
        return read_master_keys(file)
    except VaultError as error:
        raise refused(as_json, str(error), Exit.INVALID) from error


def _replace(file: Path, keys: Sequence[bytes], *, as_json: bool) -> None:
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
        raise refused(as_json, sentence, Exit.INVALID) from error


def _erased(url: str) -> list[str | None]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        return [erase(connection)]


def _master_for(
    titles: Titles, url: str, home: Path, vault_key: Path | None, *, as_json: bool
) -> MasterKeys | None:
    """Return the keys to build read models with; None if no titles are shown."""
    if not titles.shown(url):
        return None
    master = master_of(home, vault_key, as_json=as_json)
    if master is None:
        sentence = "the queue shows titles: name the master key with --vault-key"
        raise refused(as_json, sentence, Exit.INVALID)
    return master


def _address(ctx: typer.Context, *, as_json: bool) -> tuple[str, Path]:
    address = ctx.find_object(Address) or Address(None, HOME, None)
    return database_of(address.database, address.home, as_json=as_json), address.home
