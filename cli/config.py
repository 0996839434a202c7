"""`permanence config`: check a policy, compare it with the one in force, apply it.

Also reads the files that a policy names in `closed_in`, relative to the policy's
folder.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import psycopg
import typer
from pydantic import JsonValue
from rich.text import Text

from cli.policy.successors import (
    HandedOver,
    HandOver,
    WorkMove,
    handed_over,
    mover,
    successors_of,
    work_plain,
)
from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import DeskAddress, desk_of, remember, text_of
from cli.shell.output import (
    AsJson,
    Exit,
    answer,
    counted,
    refused,
    refused_for,
    warn,
)
from cli.shell.signature import By, Why, signature_in
from cli.shell.table import Table
from services.escalation.previews.first_pages import FirstPage, LookUp, first_pages
from services.escalation.process import rosters_of, zone_of
from services.intake.policy import store as policy_store
from services.intake.policy.dropped_teams import LeftBehind, left_behind
from services.intake.policy.expansion import Files
from shared.domain.icalendar_file import FILE_BYTES_MAX
from shared.domain.on_call.schedule_changes import roster
from shared.domain.policy.document import Change, Policy, json_schema
from shared.domain.policy.durations import duration_text
from shared.domain.policy.validation import placed, read
from shared.domain.sla import whole
from shared.eventlog.errors import StaleVersion, Unavailable
from shared.eventlog.log import EventLog
from shared.mistake import Mistake, path_text
from shared.mistake import Path as Location
from shared.yaml12 import TEXT_MAX

app = typer.Typer()
config = typer.Typer(
    callback=remember,
    help="The desk's policy: check it, compare it, apply it.\n\n"
    "Exit codes: 0 done, 1 it differs (diff only), 2 the file or an option is wrong, 3 "
    "the desk is not reachable, 4 somebody else applied a policy at the same time.",
    no_args_is_help=True,
)
app.add_typer(config, name="config")
_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
_AWAY = Mistake(
    "", None, "the database cannot be reached or read: people were not looked up"
)
_SHOWN_MAX = 120
_SERVICES_SHOWN = 3
ROWS_SHOWN_MAX = 2_000
"""Values in a table of changes."""
File = Annotated[Path, typer.Argument(help="A policy in YAML 1.2; `-`: a pipe.")]
ApprovedBy = Annotated[
    str | None, typer.Option(help="Id of the person who agreed to it.")
]
LeaveWork = Annotated[
    bool,
    typer.Option("--leave-work", help="Also if work stays with teams that it drops."),
]


@config.command()
def check(ctx: typer.Context, file: File, as_json: AsJson = False) -> None:
    """Report every mistake in a policy, with its line and what to do."""
    it = _read(file)
    desk = desk_of(ctx)
    now = desk.local_clock()()
    policy = _expanded(it, now)
    found, left = _warnings(desk, it, now)
    sizes = {
        name: len(getattr(policy, name))
        for name in ("services", "teams", "contracts", "sources", "calendars")
    }
    listed = ", ".join(
        counted(number, name.removesuffix("s")) for name, number in sizes.items()
    )
    closed = {
        name: len(calendar.holidays) for name, calendar in policy.calendars.items()
    }
    notes = [
        f"Calendar {name}: {counted(closed[name], 'closed date')} as of now, "
        f"with those in {', '.join(calendar.closed_in)}."
        for name, calendar in policy.calendars.items()
        if calendar.closed_in
    ]
    if desk.url_if_any() is None:
        notes.append("No database is named: its people were not looked up.")
    url = desk.url_if_any() if left is not None else None
    paged = _paged(url, policy, whole(now.astimezone(UTC)))
    plain = {
        "ok": True,
        **sizes,
        "closed": closed,
        "people_looked_up": left is not None,
        "paged": [_paged_plain(each) for each in paged],
        "work": work_plain(left.work if left else ()),
        "warnings": warn(str(file), found),
    }
    answer(plain, f"{file}: good. {listed}.", *notes, *_paged_table(paged))


@config.command()
def diff(ctx: typer.Context, file: File, as_json: AsJson = False) -> None:
    """Show what applying a policy would change."""
    it = _read(file)
    with desk_of(ctx).log_and_clock() as (log, clock):
        now = policy_store.current(log)
        changes = policy_store.changes_by(log, _expanded(it, clock()))
    version = now[0] if now else 0
    plain = {"version": version, "changes": [_plain(each) for each in changes]}
    answer(plain, *(_table(changes) or [f"As in force, version {version}."]))
    if changes:
        raise typer.Exit(Exit.DIFFERS)


@config.command()
def apply(  # noqa: PLR0913, PLR0917 # one for each option
    ctx: typer.Context,
    file: File,
    reason: Why,
    approved_by: ApprovedBy = None,
    by: By = None,
    hand_over: HandOver = None,
    leave_work: LeaveWork = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Put a policy in force from now on. What was promised before does not change.

    It is refused while a team that it drops has open work. With --hand-over that is
    assigned to another team first: after an interruption, run the same command again.
    """
    it, desk = _read(file), desk_of(ctx)
    successors = successors_of(hand_over or (), it.policy)
    caller = Api(api, token, desk.home) if successors else None
    by = mover(caller, by) if caller else by
    options = {"by": "--by", "reason": "--reason", "approved_by": "--approved-by"}
    signature = signature_in(
        "permanence config apply", options, by, reason, approved_by
    )
    with desk.log_and_clock() as (log, clock):
        given = HandedOver()
        if caller is not None:
            policy = _expanded(it, clock())
            move = WorkMove(caller, successors, policy, signature.reason)
            given = handed_over(log, it.text, move, clock())
        left = left_behind(
            log, it.text, it.policy, clock(), {each.ref for each in given.moved}
        )
        stayed = placed(it.text, given.stayed)
        if left.held and not leave_work:
            raise refused_for(str(file), [*stayed, *left.held], given.done)
        try:
            applied = policy_store.apply(
                log, it.text, signature, clock(), files=it.files
            )
        except StaleVersion as error:
            sentence = (
                f"somebody else applied a policy just now and {given.done}: "
                "look at it with `permanence config diff`, then apply yours again"
            )
            raise refused(sentence, Exit.OUTRUN) from error
        found = policy_store.warnings(log, it.text, it.policy)
        found += [*stayed, *left.held, *left.warnings]
    if isinstance(applied, list):
        raise refused_for(str(file), applied)
    plain = {
        "version": applied.version,
        "applied": bool(applied.changes),
        "changes": [_plain(each) for each in applied.changes],
        "handed_over": work_plain(given.moved, successors),
        "work": work_plain(left.work),
        "warnings": warn(str(file), found),
    }
    sentence = (
        f"Policy version {applied.version} is in force from now on."
        if applied.changes
        else f"Already so: version {applied.version} says the same."
        + ("" if given.moved else " Nothing was done.")
    )
    answer(plain, *given.sentences(successors), *_table(applied.changes), sentence)


@config.command()
def show(
    ctx: typer.Context,
    version: Annotated[
        int | None, typer.Option(min=1, help="A policy version; else the one in force.")
    ] = None,
    as_json: AsJson = True,
) -> None:
    """Print the document of a policy as it was applied: always JSON."""
    with desk_of(ctx).log() as log:
        try:
            document = policy_store.document_at(log, version)
        except LookupError as error:
            raise refused(str(error.args[0]), Exit.INVALID) from error
    answer(document)


@config.command()
def schema(as_json: AsJson = True) -> None:
    """Print the JSON schema of a policy, for editors: always JSON."""
    answer(json_schema())


class _Read(NamedTuple):
    """A policy that was read, its path, and the files it names."""

    file: Path
    text: str
    policy: Policy
    files: Files


def _read(file: Path) -> _Read:
    text = text_of(file, TEXT_MAX)
    policy = read(text)
    if isinstance(policy, list):
        raise refused_for(str(file), policy)
    return _Read(file, text, policy, texts_beside(file, policy))


def texts_beside(file: Path, policy: Policy) -> Files:
    """Return the texts of the files by name; exit with a message if one is wrong.

    For a policy from a pipe, files are relative to the working directory.
    """
    folder = Path() if str(file) == "-" else file.parent
    names = {
        name for calendar in policy.calendars.values() for name in calendar.closed_in
    }
    return {name: text_of(folder / name, FILE_BYTES_MAX) for name in sorted(names)}


def _expanded(it: _Read, now: datetime) -> Policy:
    """Return a policy with all dates, as it would be applied now."""
    policy = policy_store.whole(it.text, it.policy, now, it.files)
    if isinstance(policy, list):
        raise refused_for(str(it.file), policy)
    return policy


def _warnings(
    desk: DeskAddress, it: _Read, now: datetime
) -> tuple[list[Mistake], LeftBehind | None]:
    """Return the warnings, and what the policy leaves behind: None if unknown."""
    if url := desk.url_if_any():
        try:
            with closing(EventLog.open(url, pool_size=1)) as log:
                found = policy_store.warnings(log, it.text, it.policy)
                left = left_behind(log, it.text, it.policy, now)
                return [*found, *left.held, *left.warnings], left
        except (Unavailable, psycopg.Error):
            return [*policy_store.warnings(None, it.text, it.policy), _AWAY], None
    return policy_store.warnings(None, it.text, it.policy), None


def _paged(url: str | None, policy: Policy, now: datetime) -> list[FirstPage]:
    """Return whom the policy would page first now, with what people changed of shifts.

    Without a database, as the policy has its schedules.
    """
    if url is not None:
        with (
            suppress(Unavailable, psycopg.Error),
            closing(EventLog.open(url, pool_size=1)) as log,
            log.transaction() as cursor,
        ):
            look_up = LookUp(rosters_of(cursor), partial(zone_of, cursor))
            return first_pages(policy, now, look_up)
    as_written = LookUp(lambda of, name, _: roster(of.schedules[name]))
    return first_pages(policy, now, as_written)


def _paged_plain(page: FirstPage) -> dict[str, object]:
    return {**asdict(page), "after": int(page.after.total_seconds())}


def _paged_table(paged: Sequence[FirstPage]) -> list[Table]:
    if not paged:
        return []
    columns = ("team", "services", "priorities", "paged first, now", "after", "why")
    rows = [
        [
            f"{page.team} ({page.level.upper()})",
            _some(page.services),
            ", ".join(each.upper() for each in page.priorities),
            ", ".join(page.people) or "nobody",
            duration_text(page.after),
            ", ".join(_why(page)),
        ]
        for page in paged[:ROWS_SHOWN_MAX]
    ]
    return [Table(columns, rows)]


def _some(names: Sequence[str]) -> str:
    shown, left = names[:_SERVICES_SHOWN], len(names) - _SERVICES_SHOWN
    more = [f"{left} more"] if left > 0 else []
    return ", ".join([*shown, *more])


def _why(page: FirstPage) -> Iterator[str]:
    """Yield which steps these are, and what is particular about the first."""
    yield page.escalation or ("shared steps" if page.level == "n2" else "members")
    if page.quiet:
        yield "by mail only"
    if page.by_turns:
        yield "one of them, by turns"
    if page.nobody_on_call:
        yield "nobody is on call"


def _plain(change: Change) -> dict[str, object]:
    return {**asdict(change), "path": path_text(change.path)}


def _table(changes: Sequence[Change]) -> list[Table | str]:
    """Return a table of changes; counts the values that are too many to list."""
    if not changes:
        return []
    rows = [
        [
            Text(text, _STYLES[change.kind])
            for text in (path_text(path), _short(before), _short(after))
        ]
        for change in changes
        for path, before, after in _values(change)
    ]
    table = Table(("what", "before", "after"), rows[:ROWS_SHOWN_MAX])
    more = len(rows) - ROWS_SHOWN_MAX
    if more <= 0:
        return [table]
    return [table, f"And {more} more values: `--json` has all of them."]


def _values(change: Change) -> Iterator[tuple[Location, JsonValue, JsonValue]]:
    """Yield each value that changes: new contracts are shown in full for approval."""
    match change.kind:
        case "added":
            for path, value in _leaves(change.path, change.after):
                yield path, "", value
        case "removed":
            for path, value in _leaves(change.path, change.before):
                yield path, value, ""
        case "changed":
            yield change.path, change.before, change.after


def _leaves(path: Location, value: JsonValue) -> Iterator[tuple[Location, JsonValue]]:
    if isinstance(value, dict) and value:
        for key, held in value.items():
            yield from _leaves((*path, key), held)
    else:
        yield path, value


def _short(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
