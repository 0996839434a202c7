"""`permanence doctor`: what works on this machine, what does not, and what to do.

Also examines the policy in force for settings that weaken authentication, and for what
it leaves with nobody.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg

from services.intake.policy.team_work import Work, by_team, in_words, work_of_others
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Mailbox
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.policies import policy_of
from shared.messaging.payload import refusal_of
from shared.security.access import TokenRow, tokens
from standalone.credentials import ADMIN, FIRST_LABEL
from standalone.folder import (
    ROOM_TO_START_MB,
    Run,
    blocked_at,
    free_megabytes,
    holder,
    linked,
    place_for,
    read_run,
    server_account,
    usual_places,
)
from standalone.nats import payload_at
from standalone.ports import is_free
from standalone.readiness import ask_ready
from standalone.servers import nats_binary, postgres_binaries
from standalone.services import Service
from standalone.settings import UpSettings
from standalone.startup_error import StartupError


@dataclass(frozen=True)
class Finding:
    """One result; `advice` says what to do if it is not `ok`.

    `only_warns`: the desk works all the same.
    """

    name: str
    ok: bool
    sentence: str
    advice: str = ""
    only_warns: bool = False


_NEWEST = f"""
{SELECT_ROWS} WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1
"""


def examine_policy(database_url: str) -> Iterator[Finding]:
    """Examine the policy in force; yields nothing if it cannot be read."""
    try:
        found = _in_force(database_url)
    except (Unavailable, UnknownEvent, psycopg.Error):  # services report it anyway
        return
    if found is not None:
        yield from mailbox_findings(found.policy)
        yield _nats_monitor(found.policy)
        yield _stray_work(found.stray)
        yield _tokens(tokens_in_no_team(found.policy, found.tokens, found.at))


def mailbox_findings(policy: Policy) -> Iterator[Finding]:
    """Report whether the desk can authenticate the senders of each mailbox."""
    for name, source in policy.sources.items():
        if not isinstance(source, Mailbox):
            continue
        server = source.authserv_id
        yield Finding(
            f"mailbox {name}",
            server is not None,
            f"senders are confirmed by {server}"
            if server
            else "nobody confirms senders: only a reply to a mail of the desk acts",
            f"Set `authserv_id` of the source {name}: see docs/how-to/take-mail.md, "
            "“Who wrote it”.",
            only_warns=True,
        )


def _nats_monitor(policy: Policy) -> Finding:
    """Report whether sources may share a NATS user that can send as any of them."""
    refused = policy.desk.nats_monitor == "refused"
    return Finding(
        "nats sources",
        refused,
        "each source connects with a key of its own"
        if refused
        else "the user `monitor` may send as any source",
        "Give each source a key and write `desk: {nats_monitor: refused}`: see "
        "docs/how-to/send-over-nats.md, “The user `monitor`”.",
        only_warns=True,
    )


SHOWN_MAX = 5
"""Tokens that are named; the others are counted."""


def tokens_in_no_team(
    policy: Policy, made: Sequence[TokenRow], at: datetime
) -> list[TokenRow]:
    """Return the valid tokens of people who are in no team.

    Left out are those of clients, of who reads for payroll, and the machine's own.
    """
    teams = policy.teams.values()
    known = {person for team in teams for person in (*team.members, team.manager)}
    known |= {*policy.desk.payroll}
    return [
        row
        for row in made
        if row.actor.startswith("person:")
        and row.actor.removeprefix("person:") not in known
        and (row.actor, row.label) != (ADMIN, FIRST_LABEL)
        and {*row.scopes} != {"client"}
        and row.revoked_at is None
        and (row.expires_at is None or row.expires_at > at)
    ]


def _tokens(left: Sequence[TokenRow]) -> Finding:
    """Report access that may have been forgotten when people left their teams."""
    named = [f"{row.actor} {row.token_id} {row.label}".strip() for row in left]
    more = len(named) - SHOWN_MAX
    listed = ", ".join(named[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
    return Finding(
        "tokens",
        not left,
        f"of people in no team: {listed}" if left else "each is of somebody in a team",
        "Who needs no access any more: `permanence token revoke ID`, or "
        "`permanence people remove` for all that they have.",
        only_warns=True,
    )


def _stray_work(stray: Sequence[Work]) -> Finding:
    """Report open records of teams that the policy in force does not have."""
    held = [f"{team} has {in_words(work)}" for team, work in by_team(stray).items()]
    return Finding(
        "work",
        not stray,
        "; ".join(held) or "all of it is with teams of the policy",
        "The policy has no such team: assign it to another, in the queue *All* or with "
        "`permanence config apply … --hand-over OLD=NEW`.",
        only_warns=True,
    )


class _InForce(NamedTuple):
    """The policy in force, and what may be outside of it."""

    policy: Policy
    stray: Sequence[Work]
    tokens: Sequence[TokenRow]
    at: datetime


def _in_force(database_url: str) -> _InForce | None:
    log = EventLog.open(database_url, pool_size=1)
    with closing(log), log.transaction() as cursor:
        row = cursor.execute(_NEWEST, (STREAM,), binary=True).fetchone()
        match log.entry(Row(*row)).event if row else None:
            case PolicyApplied() as applied:
                policy = policy_of(cursor, applied)
                stray = work_of_others(cursor, policy.teams)
                (now,) = cursor.execute("SELECT clock_timestamp()").fetchone() or (0,)
                return _InForce(policy, stray, tokens(cursor), now)
            case _:
                return None


_PYTHON = (3, 11)
_OK = 200


def examine(settings: UpSettings, services: tuple[Service, ...]) -> Iterator[Finding]:
    """Examine everything, the machine first, then the desk if one is running."""
    yield _python()
    yield _folder(settings.home)
    yield _disk(settings.home)
    yield from _programs(settings)
    try:
        pid = holder(settings.home)
    except StartupError as error:
        yield Finding("desk", False, "nobody knows", f"{error}")
        return
    run = read_run(settings.home)
    yield _desk(settings.home, pid, run)
    if pid is None:
        yield from (_port(service, settings) for service in services)
    if pid is not None and run is not None:
        yield from _processes(run)
        yield from _database(run.database_url)
        yield from examine_policy(run.database_url)
        yield _bus(run.nats_url)
        for each in services:
            yield from _service(each, settings, run)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, _PYTHON))
    return Finding(
        "python",
        sys.version_info >= _PYTHON,
        f"Python {found}",
        f"Install Python {wanted} or later, then: rm -rf .venv && make setup",
    )


def _folder(home: Path) -> Finding:
    ground, account = _ground(home), server_account()
    wall = blocked_at(ground, account)
    if account and wall:
        place = place_for(account, usual_places())
        return Finding(
            "folder",
            place is not None and not (home / "postgres").exists(),
            f"{home}: PostgreSQL, which does not run as root, cannot pass {wall}"
            + (f"; `make up` links it to a folder in {place}" if place else ""),
            "Choose another folder (PERMANENCE_HOME=…) or run as an ordinary user.",
        )
    return Finding(
        "folder",
        _writable(ground),
        f"{home}: {where}" if (where := linked(home)) else f"{home}",
        f"Make {ground} writable for yourself.",
    )


def _ground(home: Path) -> Path:
    """Return the existing part of the path to `home`, as far as we may look."""
    ground = home.absolute()
    while not os.path.exists(ground):  # noqa: PTH110 # Path.exists raises where it may not look
        ground = ground.parent
    return ground


def _writable(folder: Path) -> bool:
    probe = folder / ".permanence-doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _disk(home: Path) -> Finding:
    free = free_megabytes(_ground(home))
    return Finding(
        "disk",
        free >= ROOM_TO_START_MB,
        f"{free} MB free",
        f"Make room: {ROOM_TO_START_MB} MB are needed to start, more to live.",
    )


def _programs(settings: UpSettings) -> Iterator[Finding]:
    if settings.database_url is None:
        try:
            where = postgres_binaries(None, settings.home)
            yield Finding("postgresql program", True, f"{where}")
        except StartupError as error:
            yield Finding("postgresql program", False, "missing", f"{error}")
    if settings.nats_url is None:
        try:
            yield Finding("nats program", True, f"{nats_binary()}")
        except StartupError as error:
            yield Finding("nats program", False, "missing", f"{error}")


def _desk(home: Path, pid: int | None, run: Run | None) -> Finding:
    match pid, run:
        case None, None:
            return Finding("desk", True, f"none runs in {home}; `make up` starts one")
        case None, Run():
            return Finding(
                "desk",
                False,
                "run.json is there, but its desk was killed",
                "`make up` starts it again, `make down` tidies up.",
            )
        case _, None if not os.access(home, os.R_OK, effective_ids=True):
            return Finding(
                "desk",
                False,
                f"runs as process {pid}, of another user",
                "Call the doctor as that user.",
            )
        case _, None:
            return Finding(
                "desk",
                False,
                f"process {pid} is starting or stopping",
                "Wait for it; its terminal says what it waits for.",
            )
        case _:
            return Finding("desk", True, f"runs as process {pid}")


def _port(service: Service, settings: UpSettings) -> Finding:
    port = service.port(settings)
    return Finding(
        f"port of {service.name}",
        is_free(port),
        f"{port}",
        f"Another program listens there: stop it, or set {service.variable}.",
    )


def _processes(run: Run) -> Iterator[Finding]:
    for name, pid in run.pids.items():
        yield Finding(
            f"process {name}",
            psutil.pid_exists(pid),
            f"{pid}",
            "It has ended and is started again: see why in the terminal of `make up`.",
        )


_LOSES = """
SELECT string_agg(name, ', ' ORDER BY name) FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'
"""
_NOTIFICATIONS = """
SELECT setting FROM pg_settings
WHERE name = 'max_notify_queue_pages' AND setting::int > 64
"""


def _database(url: str) -> Iterator[Finding]:
    advice = "See what postgres says in servers.log of the desk's folder."
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            (version,) = connection.execute("SHOW server_version").fetchone() or ("",)
            (loses,) = connection.execute(_LOSES).fetchone() or ("",)
            pages = connection.execute(_NOTIFICATIONS).fetchone()
    except psycopg.Error as reason:
        yield Finding("database", False, f"{reason}".splitlines()[0], advice)
        return
    yield Finding("database", True, f"PostgreSQL {version}")
    if loses:
        yield Finding(
            "database",
            False,
            f"may lose what it took if its machine stops (off: {loses})",
            "Turn it on in the configuration of PostgreSQL, and restart it.",
        )
    if pages:
        yield Finding(
            "database",
            False,
            f"keeps up to {pages[0]} pages of notifications; the desk sends none",
            "Set max_notify_queue_pages=64 and restart PostgreSQL: an auditor could "
            "fill the disk with them.",
            only_warns=True,
        )


def _bus(url: str) -> Finding:
    payload = payload_at(url)
    if payload is None:
        advice = "See what nats says in servers.log of the desk's folder."
        return Finding("nats", False, "does not answer", advice)
    if (why := refusal_of(payload)) is not None:
        found, _, advice = why.partition(": ")
        return Finding("nats", False, found, f"{advice[0].upper()}{advice[1:]}.")
    return Finding("nats", True, "answers")


def _service(service: Service, settings: UpSettings, run: Run) -> Iterator[Finding]:
    """Ask the service at its own address, whatever this shell's variables say."""
    answer = ask_ready(run.ports.get(service.name) or service.port(settings))
    advice = f"See what {service.name} says in the terminal of `make up`."
    if answer.waits_for:
        advice = "See docs/how-to/back-up-and-restore.md, “After a restore”."
    words = answer.words or "does not answer"
    yield Finding(service.name, answer.status == _OK, words, advice)
    for part, alarm in answer.alarms.items():
        advice = "The service works on; only that waits until it is mended."
        yield Finding(f"{service.name} {part}", False, alarm, advice)
