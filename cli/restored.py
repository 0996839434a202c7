"""`permanence restored`: confirms that the database was restored, so the desk goes on.

What contradicts the log shows that it was restored, wherever it is kept: NATS, files of
the services on this host, or what the health of a service names. Exit codes: 0 done, 1
with `--rights` if some rights cannot be read, 2 nothing to renew or an option is wrong,
3 the database or NATS is not reachable.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated, Never

import psycopg
import typer
from nats.errors import Error
from nats.js.errors import NotFoundError

from cli.shell.desk import HOME, Database, DeskAddress, Home, Lever
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from cli.shell.signature import By, signature_in
from services.intake.policy.store import Signature
from services.intake.relay.relay import read_tail
from shared.clock import Clock
from shared.domain.events.event import Actor
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.evidence import NATS, Evidence
from shared.eventlog.continuity.last_seen import (
    LastSeen,
    combined,
    of_word,
    read,
    seen_as,
    server_of,
)
from shared.eventlog.continuity.witness import Kept, read_folder
from shared.eventlog.epochs import Epoch
from shared.eventlog.errors import NotContinued
from shared.eventlog.log import EventLog
from shared.messaging.connection import nats_session
from shared.messaging.streams import Refused
from shared.observability.telemetry import reason as in_short
from shared.security.grants.check import Compared, rewrite
from shared.security.sign_in_links import Revoked, revoke_sign_ins
from standalone.folder import Run, read_run, witness_folder
from standalone.up import BeginEpoch

ANSWER_SECONDS = 2
app = typer.Typer()
_OPTIONS = {"by": "--by", "reason": "--reason"}
_FORCE = "to begin a new epoch all the same, add --force"

Why = Annotated[
    str | None,
    typer.Option(
        "--reason",
        show_default=False,
        help="Why, for who reads the log later; not with --rights.",
    ),
]
Rights = Annotated[
    bool,
    typer.Option(
        "--rights",
        help="Only write what people may do again from the log: no new epoch.",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--nats",
        envvar="NATS_URL",
        show_default=False,
        help="NATS, which remembers the log; else that of the desk `make up` runs.",
    ),
]
Seen = Annotated[
    list[str] | None,
    typer.Option(
        "--seen",
        show_default=False,
        help="What was seen of the log, as the health of a service names it.",
    ),
]
StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        envvar="PERMANENCE_STATE_DIR",
        show_default=False,
        help="Where services keep what they have seen; else that of `make up`.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Also if nothing outside the database shows a restore."
    ),
]


@app.command("restored")
def restored_command(  # noqa: PLR0913, PLR0917 # its options
    reason: Why = None,
    by: By = None,
    database: Database = None,
    url: Url = None,
    seen: Seen = None,
    state_dir: StateDir = None,
    home: Home = HOME,
    force: Force = False,
    rights: Rights = False,
    lever: Lever = None,
    as_json: AsJson = False,
) -> None:
    """Begin a new epoch after a restore: references and keys are not used again.

    Ends all sessions, sign-in links and break-glass codes, and writes what people may
    do again from the log. With --force also while no service runs, so that none decides
    in the old epoch. Exit codes: 0 done, 1 with --rights if somebody's rights cannot be
    read, 2 the log continues, nothing is known outside the database, or an option is
    wrong, 3 the database or NATS is not reachable.
    """
    desk = DeskAddress(database, home, lever)
    if rights:
        with desk.log() as log:
            _told_of_rights(rewrite(log))
        return
    if reason is None:
        raise refused("say why, with --reason: the log keeps it", Exit.INVALID)
    signature = signature_in("permanence restored", _OPTIONS, by, reason)
    desk.url()
    run = _run_of(home, database)
    folder = state_dir or (witness_folder(home) if run else None)
    known = [*map(_seen, seen or []), *_kept(folder)]
    told = _told_by_nats(url or (run.nats_url if run else None))
    if isinstance(told, _Unknown) and not known and not force:
        raise refused(told.why, told.code)
    by_nats = [] if isinstance(told, _Unknown) else told
    evidence = [each.evidence("somebody") for each in known]
    evidence += [each.evidence(NATS) for each in by_nats]
    with (
        desk.log_and_clock() as (log, clock),
        bar({"renew": "beginning an epoch"}) as report,
    ):
        if not force and not _is_contradicted(log, evidence):
            _refuse(log, told)
        report("renew", 0, None)
        furthest = combined([*known, *by_nats])
        done = _renew(log, signature, clock, furthest)
    answer(_plain(done, furthest), *_sentences(done, furthest))


@dataclass(frozen=True, slots=True)
class _Unknown:
    """Why it is not known what NATS has seen."""

    why: str
    code: Exit


@dataclass(frozen=True, slots=True)
class _Renewed:
    """The new epoch, what was ended before it, and which rights were wrong."""

    epoch: Epoch
    revoked: Revoked
    rights: Compared


def _told_of_rights(compared: Compared) -> None:
    """Say which rights were written again; exit with 1 if some cannot be read."""
    answer(asdict(compared), *_rights(compared))
    if any(each.kind == "unreadable" for each in compared.differences):
        raise typer.Exit(Exit.DIFFERS)


def epoch_at_start(reason: str) -> BeginEpoch:
    """Return what begins a new epoch before the services of `permanence up` start.

    Exits with a message if the reason cannot be stored.
    """
    options = _OPTIONS | {"reason": "--restored"}
    signature = signature_in("permanence up", options, None, reason)

    def begin(database: str, url: str, lever: Path | None, folder: Path) -> str:
        told = _told_by_nats(url)
        nats = [] if isinstance(told, _Unknown) else told
        seen = combined([*nats, *_kept(folder)])
        with DeskAddress(database, HOME, lever).log_and_clock() as (log, clock):
            return " ".join(_sentences(_renew(log, signature, clock, seen), seen))

    return begin


def _renew(
    log: EventLog, signature: Signature, clock: Clock, seen: LastSeen | None
) -> _Renewed:
    """End what signs in and write the rights, then begin the epoch.

    In this order, so that no service goes on before: if it stops in between, it is run
    again.
    """
    by: Actor = f"person:{signature.by}"
    with log.transaction() as cursor:
        revoked = revoke_sign_ins(cursor, clock())
    rights = rewrite(log)
    epoch = renew(log, Renewal("restore", signature.reason, by, clock()), seen)
    return _Renewed(epoch, revoked, rights)


def _seen(word: str) -> LastSeen:
    """Return what somebody copied from health; exit with a message if it is not it."""
    try:
        return of_word(word)
    except ValueError as error:
        sentence = f"--seen: {word[:80]!r} is not what health names; copy it whole"
        raise refused(sentence, Exit.INVALID) from error


def _run_of(home: Path, database: str | None) -> Run | None:
    """Return the desk of `home` if it runs and the command is about its database.

    Its servers are asked: one address of a database can be written in many ways.
    """
    run = read_run(home)
    if run is None or database in {None, run.database_url, run.admin_database_url}:
        return run
    why = "it is about another database"
    try:
        if _place(database or "") == _place(run.admin_database_url or run.database_url):
            return run
    except psycopg.Error as error:
        why = f"they cannot be compared: {in_short(error)}"
    typer.echo(f"what the desk in {home} has seen is left out: {why}", err=True)
    return None


def _place(database: str) -> tuple[str, int]:
    """Return which database it is, on which cluster."""
    with psycopg.connect(database, connect_timeout=ANSWER_SECONDS) as connection:
        server = server_of(connection.cursor())
    return server.system_identifier, server.database_oid


def _kept(folder: Path | None) -> list[LastSeen]:
    """Return what the services on this host have seen; says what cannot be read."""
    kept = read_folder(folder) if folder else Kept()
    if kept.failures:
        unread = "; ".join(kept.failures)
        typer.echo(f"what services have seen cannot be read: {unread}", err=True)
    return [seen for _, seen in kept.found]


def _told_by_nats(address: str | None) -> list[LastSeen] | _Unknown:
    """Return what NATS knows of the log; exit with a message for a wrong address."""
    if not address:
        sentence = (
            "no NATS is named, and it knows what was last seen of the log: set "
            "NATS_URL. If its data is lost and the database was restored, add --force"
        )
        return _Unknown(sentence, Exit.INVALID)
    try:
        told = asyncio.run(_read(address))
    except ValueError as error:  # --force would not help
        raise refused(f"NATS_URL: {error}", Exit.INVALID) from error
    except (Error, OSError, TimeoutError) as error:
        sentence = (
            f"NATS is not reachable ({in_short(error)}), and it knows what was last "
            "seen of the log: start it first. If it is lost as well, add --force"
        )
        return _Unknown(sentence, Exit.UNREACHABLE)
    if told:
        return told
    sentence = (
        "NATS knows nothing of the log: it is another one, or lost its data. "
        f"If the database was restored, {_FORCE}"
    )
    return _Unknown(sentence, Exit.INVALID)


async def _read(url: str) -> list[LastSeen]:
    """Return the record and the end of the stream, as far as there are any."""
    async with nats_session(url) as client:
        record = await read(client.jetstream(timeout=ANSWER_SECONDS))
        try:
            tail = await read_tail(client, 0, ANSWER_SECONDS)
        except (NotFoundError, Refused):
            tail = None  # the relay says why, and purges nothing
    known = [record.seen]
    if tail and (seen := tail.evidence):
        known.append(seen_as(seen))
    return [each for each in known if each]


def _is_contradicted(log: EventLog, evidence: Sequence[Evidence]) -> bool:
    """Return whether the log lacks any of what is known, as a service would say."""
    left = list(evidence)
    while left:
        left = [each for each in left if not log.continuity.expect(each)]
        try:
            with log.transaction() as cursor:
                log.look(cursor)
        except NotContinued:
            return True
    return False


def _refuse(log: EventLog, told: list[LastSeen] | _Unknown) -> Never:
    """Exit with a message: the log continues what is known, as far as that goes."""
    if isinstance(told, _Unknown) and told.code == Exit.UNREACHABLE:
        raise refused(told.why, told.code)
    sentence = (
        f"the log ends at position {log.head().position} and continues what was last "
        "seen: nothing was done. If a service asks for this command, its health names "
        "what it has seen: copy that whole, with --seen. If NATS and the folders of "
        f"the services were restored with the database, {_FORCE}"
    )
    raise refused(sentence, Exit.INVALID)


def _plain(done: _Renewed, seen: LastSeen | None) -> Mapping[str, object]:
    return {
        "epoch": done.epoch.id.number,
        "token": done.epoch.id.token,
        "begins_after": done.epoch.begins_after,
        "last_seen": seen.position if seen else None,
        "lost": _lost(done.epoch, seen),
        "ended": asdict(done.revoked),
        "rights": asdict(done.rights),
    }


def _sentences(done: _Renewed, seen: LastSeen | None) -> list[str]:
    epoch = done.epoch
    begins = f"Epoch {epoch.label} begins after position {epoch.begins_after}."
    return [begins, *_loss(_lost(epoch, seen)), *_ended(done)]


def _loss(lost: int | None) -> list[str]:
    if lost is None:
        return ["How many events were lost is not known."]
    return [f"Lost with the restore: up to {lost} events after it."] if lost else []


def _ended(done: _Renewed) -> list[str]:
    gone = done.revoked
    ended = (
        f"Ended: {counted(gone.sessions, 'session')} and "
        f"{counted(gone.links, 'sign-in link')}, codes included: everybody signs in "
        "again."
    )
    tokens = (
        f"Still valid: {counted(gone.tokens_left, 'token')} of people; see "
        "`permanence people review`."
    )
    codes = [
        f"This break-glass code opens nothing any more: {code or 'without a label'}. "
        f"Make another: permanence break-glass create --label {quote(code)}"
        for code in gone.codes
    ]
    wrong = _rights(done.rights) if done.rights.differences else []
    return [ended, *codes, *([tokens] if gone.tokens_left else []), *wrong]


def _rights(compared: Compared) -> list[str]:
    """Return what was wrong about rights, and what was done."""
    if not compared.differences:
        return ["The rights are those in the log: nothing was changed."]
    unreadable = any(each.kind == "unreadable" for each in compared.differences)
    left = " Rights that cannot be read were left as they are." if unreadable else ""
    return [
        *(each.sentence for each in compared.differences),
        f"The rights were written again from the log.{left}",
    ]


def _lost(epoch: Epoch, seen: LastSeen | None) -> int | None:
    return max(0, seen.position - epoch.begins_after) if seen else None
