"""`permanence restored`: confirms that the database was restored, so the desk goes on.

Exit codes: 0 done, 1 with `--rights` if some rights cannot be read, 2 nothing to renew
or an option is wrong, 3 the database or NATS is not reachable.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from nats.errors import Error

from cli.shell.desk import HOME, Database, DeskAddress, Home, Lever
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from cli.shell.signature import By, signature_in
from services.intake.policy.store import Signature
from shared.clock import Clock
from shared.domain.events.event import Actor
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.last_seen import LastSeen, read
from shared.eventlog.continuity.watch import NATS
from shared.eventlog.epochs import Epoch
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.messaging.connection import nats_session
from shared.observability.telemetry import reason as in_short
from shared.security.grants.check import Compared, rewrite
from shared.security.sign_in_links import Revoked, revoke_sign_ins
from standalone.folder import read_run
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
    seen = _last_seen(url, home, force=force)
    with (
        desk.log_and_clock() as (log, clock),
        bar({"renew": "beginning an epoch"}) as report,
    ):
        if not force:
            _require_restored(log, seen)
        report("renew", 0, None)
        done = _renew(log, signature, clock, seen)
    answer(_plain(done, seen), *_sentences(done, seen))


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

    def begin(database: str, url: str, lever: Path | None) -> str:
        seen = _last_seen(url, HOME, force=True)
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


def _last_seen(url: str | None, home: Path, *, force: bool) -> LastSeen | None:
    """Return the last head of the log that NATS knows; exit with a message if none."""
    run = read_run(home)
    address = url or (run and run.nats_url)
    if not address and not force:
        sentence = (
            "no NATS is named, and it knows what was last seen of the log: set "
            "NATS_URL. If its data is lost and the database was restored, add --force"
        )
        raise refused(sentence, Exit.INVALID)
    try:
        seen = asyncio.run(_read(address)) if address else None
    except ValueError as error:  # a wrong address: --force would not help
        raise refused(f"NATS_URL: {error}", Exit.INVALID) from error
    except (Error, OSError, TimeoutError) as error:
        if force:
            return None
        sentence = (
            f"NATS is not reachable ({in_short(error)}), and it knows what was last "
            "seen of the log: start it first. If it is lost as well, add --force"
        )
        raise refused(sentence, Exit.UNREACHABLE) from error
    if seen is None and not force:
        sentence = (
            "NATS knows nothing of the log: it is another one, or lost its data. "
            f"If the database was restored, {_FORCE}"
        )
        raise refused(sentence, Exit.INVALID)
    return seen


async def _read(url: str) -> LastSeen | None:
    async with nats_session(url) as client:
        return (await read(client.jetstream(timeout=ANSWER_SECONDS))).seen


def _require_restored(log: EventLog, seen: LastSeen | None) -> None:
    """Exit with a message if the log continues what was last seen."""
    if seen is not None:
        log.continuity.expect(seen.evidence(NATS))
    try:
        with log.transaction() as cursor:
            position = log.look(cursor).head.position
    except NotContinued:
        return
    except Unavailable:
        # Its epoch is newer than the one seen: somebody has renewed it already.
        position = log.head().position
    sentence = (
        f"the log ends at position {position} and continues what was last seen: "
        f"nothing was done. If NATS was restored with the database, {_FORCE}"
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
