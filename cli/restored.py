"""`permanence restored`: confirms that the database was restored, so the desk goes on.

Exit codes: 0 done, 2 nothing to renew or an option is wrong, 3 the database or NATS is
not reachable.
"""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer
from nats.errors import Error
from pydantic import ValidationError

from cli.shell.desk import HOME, Database, Home, clock_at, database_of, log_at
from cli.shell.output import AsJson, Exit, answer, refused, refused_for
from services.intake.policy.store import Signature
from shared.clock import Clock
from shared.domain.events.event import Actor
from shared.domain.policy.validation import explained
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.last_seen import LastSeen, read
from shared.eventlog.epochs import Epoch
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.messaging.connection import nats_session
from shared.mistake import Mistake
from shared.observability.telemetry import reason as in_short
from standalone.folder import read_run
from standalone.up import BeginEpoch

ANSWER_SECONDS = 2
_FORCE = "to begin a new epoch all the same, add --force"

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


def restored_command(  # noqa: PLR0913, PLR0917 # its options
    reason: Annotated[str, typer.Option(help="Why, for who reads the log later.")],
    by: Annotated[
        str | None, typer.Option(help="Your id; else your login name.")
    ] = None,
    database: Database = None,
    url: Url = None,
    home: Home = HOME,
    force: Force = False,
    lever: Annotated[
        Path | None, typer.Option(envvar="PERMANENCE_CLOCK_LEVER", hidden=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Begin a new epoch after a restore: references and keys are not used again.

    With --force also while no service runs, so that none decides in the old epoch. Exit
    codes: 0 done, 2 the log continues, nothing is known outside the database, or an
    option is wrong, 3 the database or NATS is not reachable.
    """
    signature = _signature(by, reason, as_json=as_json)
    address = database_of(database, home, as_json=as_json)
    seen = _last_seen(url, home, force=force, as_json=as_json)
    with (
        clock_at(address, lever, as_json=as_json) as clock,
        log_at(address, clock=clock, as_json=as_json) as log,
    ):
        if not force:
            _require_restored(log, seen, as_json=as_json)
        epoch = _renew(log, signature, clock, seen)
    _answer(epoch, seen, as_json=as_json)


def epoch_at_start(reason: str) -> BeginEpoch:
    """Return what begins a new epoch before the services of `permanence up` start.

    Exits with a message if the reason cannot be stored.
    """
    signature = _signature(None, reason, "permanence up", "--restored", as_json=False)

    def begin(database: str, url: str, lever: Path | None) -> str:
        seen = _last_seen(url, HOME, force=True, as_json=False)
        with (
            clock_at(database, lever, as_json=False) as clock,
            log_at(database, clock=clock, as_json=False) as log,
        ):
            return " ".join(_sentences(_renew(log, signature, clock, seen), seen))

    return begin


def _renew(
    log: EventLog, signature: Signature, clock: Clock, seen: LastSeen | None
) -> Epoch:
    by: Actor = f"person:{signature.by}"
    return renew(log, Renewal("restore", signature.reason, by, clock()), seen)


def _signature(
    by: str | None,
    reason: str,
    command: str = "permanence restored",
    option: str = "--reason",
    *,
    as_json: bool,
) -> Signature:
    try:
        return Signature(by=by or getpass.getuser(), reason=reason)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        options = {"by": "--by", "reason": option}
        mistakes = [
            Mistake(options[str(one["loc"][0])], None, explained(one, Signature))
            for one in found
        ]
        raise refused_for(as_json, command, mistakes) from error


def _last_seen(
    url: str | None, home: Path, *, force: bool, as_json: bool
) -> LastSeen | None:
    """Return the last head of the log that NATS knows; exit with a message if none."""
    run = read_run(home)
    address = url or (run and run.nats_url)
    if not address and not force:
        sentence = (
            "no NATS is named, and it knows what was last seen of the log: set "
            "NATS_URL. If its data is lost and the database was restored, add --force"
        )
        raise refused(as_json, sentence, Exit.INVALID)
    try:
        seen = asyncio.run(_read(address)) if address else None
    except ValueError as error:  # a wrong address: --force would not help
        raise refused(as_json, f"NATS_URL: {error}", Exit.INVALID) from error
    except (Error, OSError, TimeoutError) as error:
        if force:
            return None
        sentence = (
            f"NATS is not reachable ({in_short(error)}), and it knows what was last "
            "seen of the log: start it first. If it is lost as well, add --force"
        )
        raise refused(as_json, sentence, Exit.UNREACHABLE) from error
    if seen is None and not force:
        sentence = (
            "NATS knows nothing of the log: it is another one, or lost its data. "
            f"If the database was restored, {_FORCE}"
        )
        raise refused(as_json, sentence, Exit.INVALID)
    return seen


async def _read(url: str) -> LastSeen | None:
    async with nats_session(url) as client:
        return (await read(client.jetstream(timeout=ANSWER_SECONDS))).seen


def _require_restored(log: EventLog, seen: LastSeen | None, *, as_json: bool) -> None:
    """Exit with a message if the log continues what was last seen."""
    if seen is not None:
        log.continuity.expect(seen.mark, seen.epoch_id)
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
    raise refused(as_json, sentence, Exit.INVALID)


def _answer(epoch: Epoch, seen: LastSeen | None, *, as_json: bool) -> None:
    plain = {
        "epoch": epoch.id.number,
        "token": epoch.id.token,
        "begins_after": epoch.begins_after,
        "last_seen": seen.position if seen else None,
        "lost": _lost(epoch, seen),
    }
    answer(as_json, plain, *_sentences(epoch, seen))


def _sentences(epoch: Epoch, seen: LastSeen | None) -> list[str]:
    lost = _lost(epoch, seen)
    said = [f"Epoch {epoch.label} begins after position {epoch.begins_after}."]
    if lost is None:
        said.append("How many events were lost is not known.")
    elif lost:
        said.append(f"Lost with the restore: up to {lost} events after it.")
    return said


def _lost(epoch: Epoch, seen: LastSeen | None) -> int | None:
    return max(0, seen.position - epoch.begins_after) if seen else None
