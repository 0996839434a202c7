"""`permanence config`: check a policy, compare it with the one in force, apply it.

Also reads the files that a policy names in `closed_in`, relative to the policy's
folder. Exit codes: 0 done, 1 differs (diff only), 2 the file or an option is wrong, 3
the desk is not reachable, 4 somebody else applied a policy at the same time.
"""

import getpass
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import psycopg
import typer
from pydantic import JsonValue, ValidationError
from rich.console import Console
from rich.text import Text

from cli.shell.desk import clock_of, log_if_any, log_of, remember, text_of
from cli.shell.output import (
    AsJson,
    Exit,
    Sheet,
    answer,
    counted,
    refused,
    refused_for,
    table_of,
)
from services.intake.policy import store as policy_store
from services.intake.policy.expansion import Files
from services.intake.policy.store import Signature
from shared.domain.policy.closed_days import FILE_BYTES_MAX
from shared.domain.policy.document import Change, Policy, json_schema
from shared.domain.policy.validation import explained, read
from shared.eventlog.errors import StaleVersion, Unavailable
from shared.mistake import Mistake, path_text
from shared.mistake import Path as Location
from shared.yaml12 import TEXT_MAX


def texts_beside(file: Path, policy: Policy, *, as_json: bool) -> Files:
    """Return the texts of the files by name; exit with a message if one is wrong.

    For a policy from a pipe, files are relative to the working directory.
    """
    folder = Path() if str(file) == "-" else file.parent
    names = {
        name for calendar in policy.calendars.values() for name in calendar.closed_in
    }
    return {
        name: text_of(folder / name, FILE_BYTES_MAX, as_json=as_json)
        for name in sorted(names)
    }


config = typer.Typer(
    callback=remember,
    help="The desk's policy: check it, compare it, apply it.",
    no_args_is_help=True,
)
_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
_SHOWN_MAX = 120
ROWS_SHOWN_MAX = 2_000
"""Values in a table of changes."""
File = Annotated[Path, typer.Argument(help="A policy in YAML 1.2; `-`: a pipe.")]


@config.command()
def check(ctx: typer.Context, file: File, as_json: AsJson = False) -> None:
    """Report every mistake in a policy, with its line and what to do."""
    it = _read(file, as_json=as_json)
    policy = _whole(it, clock_of(ctx)(), as_json=as_json)
    found, looked_up = _warnings(ctx, it)
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
    said = [
        f"Calendar {name}: {counted(closed[name], 'closed date')} as of now, "
        f"with those in {', '.join(calendar.closed_in)}."
        for name, calendar in policy.calendars.items()
        if calendar.closed_in
    ]
    if not looked_up:
        said.append("No desk was reached: its people were not looked up.")
    warnings = _warn(it, found, as_json)
    plain = {"ok": True, **sizes, "closed": closed, "warnings": warnings}
    answer(as_json, plain, f"{file}: good. {listed}.", *said)


@config.command()
def diff(
    ctx: typer.Context,
    file: File,
    as_json: AsJson = False,
) -> None:
    """Show what applying a policy would change. Exit code 1 if anything."""
    it = _read(file, as_json=as_json)
    with log_of(ctx, as_json=as_json) as (log, clock):
        now = policy_store.current(log)
        policy = _whole(it, clock(), as_json=as_json)
        changes = policy_store.changes_by(log, policy)
    version = now[0] if now else 0
    plain = {"version": version, "changes": [_plain(each) for each in changes]}
    as_before = f"As in force, version {version}."
    answer(as_json, plain, *(_told(changes) if changes else [as_before]))
    if changes:
        raise typer.Exit(Exit.DIFFERS)


@config.command()
def apply(
    ctx: typer.Context,
    file: File,
    reason: Annotated[str, typer.Option(help="Why, for who reads the log later.")],
    approved_by: Annotated[
        str | None, typer.Option(help="Id of the person who agreed to it.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Your id; else your login name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a policy in force from now on. What was promised before does not change."""
    signature = _signature(by, reason, approved_by, as_json=as_json)
    it = _read(file, as_json=as_json)
    with log_of(ctx, as_json=as_json) as (log, clock):
        try:
            applied = policy_store.apply(
                log, it.text, signature, clock(), files=it.files
            )
        except StaleVersion as error:
            sentence = (
                "somebody else applied a policy just now and nothing was done: "
                "look at it with `permanence config diff`, then apply yours again"
            )
            raise refused(as_json, sentence, Exit.OUTRUN) from error
        found = policy_store.warnings(log, it.text, it.policy)
    if isinstance(applied, list):
        raise refused_for(as_json, str(file), applied)
    _answer_applied(applied, _warn(it, found, as_json), as_json=as_json)


@config.command()
def show(
    ctx: typer.Context,
    version: Annotated[
        int | None, typer.Option(min=1, help="A policy version; else the one in force.")
    ] = None,
    as_json: AsJson = True,
) -> None:
    """Print the document of a policy as it was applied: always JSON."""
    with log_of(ctx, as_json=as_json) as (log, _):
        try:
            document = policy_store.document_at(log, version)
        except LookupError as error:
            raise refused(as_json, str(error.args[0]), Exit.INVALID) from error
    answer(as_json, document)


@config.command()
def schema(as_json: AsJson = True) -> None:
    """Print the JSON schema of a policy, for editors: always JSON."""
    answer(as_json, json_schema())


class _Read(NamedTuple):
    """A policy that was read, its path, and the files it names."""

    file: Path
    text: str
    policy: Policy
    files: Files


def _read(file: Path, *, as_json: bool) -> _Read:
    text = text_of(file, TEXT_MAX, as_json=as_json)
    policy = read(text)
    if isinstance(policy, list):
        raise refused_for(as_json, str(file), policy)
    return _Read(file, text, policy, texts_beside(file, policy, as_json=as_json))


def _whole(it: _Read, now: datetime, *, as_json: bool) -> Policy:
    """Return a policy with all dates, as it would be applied now."""
    policy = policy_store.whole(it.text, it.policy, now, it.files)
    if isinstance(policy, list):
        raise refused_for(as_json, str(it.file), policy)
    return policy


def _signature(
    by: str | None, reason: str, approved_by: str | None, *, as_json: bool
) -> Signature:
    try:
        return Signature(by=by or _login(), reason=reason, approved_by=approved_by)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        options = (
            (str(one["loc"][0]).replace("_", "-"), explained(one, Signature))
            for one in found
        )
        mistakes = [Mistake(f"--{option}", None, words) for option, words in options]
        raise refused_for(as_json, "permanence config apply", mistakes) from error


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account, as in a container
        return ""


def _warnings(ctx: typer.Context, it: _Read) -> tuple[list[Mistake], bool]:
    """Return the warnings, and whether people were looked up in the directory."""
    try:
        with log_if_any(ctx) as log:
            return policy_store.warnings(log, it.text, it.policy), log is not None
    except (Unavailable, psycopg.Error):
        return policy_store.warnings(None, it.text, it.policy), False


def _warn(
    it: _Read, warnings: Sequence[Mistake], as_json: bool
) -> list[dict[str, object]]:
    """Show `warnings` to a person, beside the answer; return them for a program."""
    if not as_json:
        console = Console(stderr=True, soft_wrap=True)
        for each in warnings:
            console.print(Text(f"{it.file}: warning: {each}", style="yellow"))
    return [asdict(each) for each in warnings]


def _answer_applied(
    applied: policy_store.Applied, warnings: list[dict[str, object]], *, as_json: bool
) -> None:
    plain = {
        "version": applied.version,
        "applied": bool(applied.changes),
        "changes": [_plain(each) for each in applied.changes],
        "warnings": warnings,
    }
    if applied.changes:
        said = f"Policy version {applied.version} is in force from now on."
        answer(as_json, plain, *_told(applied.changes), said)
    else:
        said = f"Already so: version {applied.version} says the same. Nothing was done."
        answer(as_json, plain, said)


def _plain(change: Change) -> dict[str, object]:
    return {**asdict(change), "path": path_text(change.path)}


def _told(changes: Sequence[Change]) -> Iterator[Sheet | str]:
    """Return a table of changes; counts the values that are too many to list."""
    rows = [(change, *row) for change in changes for row in _rows(change)]
    table = table_of("what", "before", "after")
    for change, path, before, after in rows[:ROWS_SHOWN_MAX]:
        texts = (path_text(path), _short(before), _short(after))
        table.add_row(*(Text(text, _STYLES[change.kind]) for text in texts))
    yield table
    if len(rows) > ROWS_SHOWN_MAX:
        yield f"And {len(rows) - ROWS_SHOWN_MAX} more values: `--json` has all of them."


def _rows(change: Change) -> Iterator[tuple[Location, JsonValue, JsonValue]]:
    """Return a row for each value: new contracts are shown in full for approval."""
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
