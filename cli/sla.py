"""`permanence sla`: explains promises; tries out a calendar and a target.

`explain` shows why the promises about an incident are due when they are. `due` and
`elapsed` answer one question per line.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import JsonValue

from cli.shell.desk import HOME, Database, Home, clock_at, database_of, log_at
from cli.shell.output import AsJson, Exit, answer, plain_text, refused
from cli.shell.parameters import demand_ref, instant_in
from services.projections.history.history import hours_under, whole
from services.projections.history.promise_account import sentences
from services.projections.history.shares import shares, turns, waits
from services.projections.log_queries import all_about, known_at
from services.sla_watcher.dry_run import Answer, due_answer, elapsed_answer
from shared.domain.sla import Clock, Consumption, Explanation, consumed, explained
from shared.domain.working_time import Hours
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.i18n.formats import Language

Lang = Annotated[Language, typer.Option(help="The language of the text.")]
At = Annotated[
    str | None,
    typer.Option(
        help="As it was recorded then: an instant with its zone, or a day, which means "
        "its beginning in UTC."
    ),
]


Lever = Annotated[
    Path | None, typer.Option(envvar="PERMANENCE_CLOCK_LEVER", hidden=True)
]


def explain_command(  # noqa: PLR0913, PLR0917 # each is an option
    ref: Annotated[str, typer.Argument(help="An incident: INC-000042.")],
    at: At = None,
    lang: Lang = "en",
    database: Database = None,
    home: Home = HOME,
    lever: Lever = None,
    as_json: AsJson = False,
) -> None:
    """Explain why each promise about an incident is due when it is, window by window.

    Also shows who used the time: by support level, and by whose turn it was.

    Exit codes: 0 explained, 2 wrong arguments or no such incident then, 3 the database
    is unavailable.
    """
    demand_ref(ref, as_json=as_json)
    instant = instant_in(at, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    with (
        clock_at(url, lever, as_json=as_json) as clock,
        log_at(url, None, as_json=as_json) as log,
    ):
        now = instant or clock()
        past = _past(log, ref, instant)
        found = whole(past)
        if found is None:
            when = f" at {at}" if at else ""
            raise refused(as_json, f"there is no incident {ref}{when}", Exit.INVALID)
        told = list(_items(found.clocks, past, PolicyVersions(log), now, lang))
    text = "\n\n".join("\n".join(lines) for _, lines in told)
    answer(
        as_json,
        {"incident": ref, "items": [plain for plain, _ in told]},
        text or f"Nothing was promised about {ref}: no contract covers it.",
    )


def _past(log: EventLog, ref: str, at: datetime | None) -> Sequence[Entry]:
    with log.transaction() as cursor:
        upto = known_at(cursor, at)
        entries = all_about(log, cursor, ref)
    return [entry for entry in entries if entry.position <= upto.position]


def _items(
    clocks: Sequence[Clock],
    past: Sequence[Entry],
    policies: PolicyVersions,
    now: datetime,
    lang: Language,
) -> Iterator[tuple[dict[str, JsonValue], list[str]]]:
    for clock in clocks:
        hours = hours_under(clock, policies)
        if hours is not None:
            consumption = consumed(clock, hours, now, turns(past), waits(past))
            yield _told(clock, hours, consumption, lang)


def _told(
    clock: Clock, hours: Hours, consumption: Consumption, lang: Language
) -> tuple[dict[str, JsonValue], list[str]]:
    account = explained(clock, hours)
    plain: dict[str, JsonValue] = {
        "target": clock.name.target,
        "cycle": clock.name.cycle,
        "round": clock.name.round,
        "state": clock.state,
        "policy": clock.policy,
        "contract": clock.contract,
        "calendar": clock.calendar,
        "zone": account.zone,
        "target_seconds": clock.seconds,
        "original_seconds": clock.original_seconds,
        "agreed_seconds": clock.agreed_seconds,
        "due_at": _plain(clock.due_at),
        "original_due_at": _plain(account.original_due_at),
        "agreed_due_at": _plain(clock.agreed_due_at),
        "extensions": [
            {"ref": each.ref, "state": each.state, "answered_by": each.answered_by}
            for each in clock.extensions
        ],
        "seconds": account.seconds,
        "windows": _windows(account),
        "consumed": _consumed(consumption),
    }
    said = sentences(account, lang)
    return plain, [*said, *shares(consumption, account.zone, lang)]


def _consumed(of: Consumption) -> JsonValue:
    return {
        "until": plain_text(of.until),
        "seconds": of.seconds,
        "passed_seconds": of.passed,
        "levels": [
            {"level": level, "seconds": seconds} for level, seconds in of.levels.items()
        ],
        "parties": [
            {
                "party": share.party,
                "passed_seconds": share.passed,
                "counted_seconds": share.counted,
            }
            for share in of.shares
        ],
    }


def _windows(account: Explanation) -> list[JsonValue]:
    return [
        {
            "begins_at": plain_text(window.begins),
            "ends_at": plain_text(window.ends),
            "stood_for": (
                None if window.pause is None else account.stops[window.pause].why
            ),
            "seconds": window.seconds,
            "together_seconds": window.together,
        }
        for window in account.windows
    ]


def _plain(at: datetime | None) -> str | None:
    return plain_text(at) if at else None


LINE_MAX = 1_000_000
"""Bytes of a line."""

sla = typer.Typer(
    help="Promised times: try them out, have them explained, move them.",
    no_args_is_help=True,
)


@sla.command("due")
def due_command() -> None:
    """Compute when a target is used up: one JSON object per line in, one per line out.

    In: `{"calendar": {"timezone", "weekly_hours": {"mon": [["09:00", "17:00"]]},
    "holidays": ["2025-06-09", "12-25"], "open": ["2025-12-06 09:00-12:00"]}, "start",
    "target_seconds", "pauses": [{"from", "to"}]}`. Out: `{"due_at"}` in UTC, null if a
    pause without `to` comes first; `{"error"}` for a line that is wrong. Exit codes: 0
    all answered, 2 a line was wrong.
    """
    _answer_lines(due_answer)


@sla.command("elapsed")
def elapsed_command() -> None:
    """Compute how much working time passes: one JSON object per line in, one out.

    In: `{"calendar", "start", "end", "pauses"}`, as for `due`. Out:
    `{"elapsed_seconds"}` of [start, end); `{"error"}` for a line that is wrong. Exit
    codes: 0 all answered, 2 a line was wrong.
    """
    _answer_lines(elapsed_answer)


def _answer_lines(answer: Callable[[Mapping[str, JsonValue]], Answer]) -> None:
    wrong = False
    for line in sys.stdin.buffer:
        if line.isspace():
            continue
        said = _answered(answer, line)
        wrong = wrong or "error" in said
        sys.stdout.write(f"{orjson.dumps(said).decode()}\n")
        sys.stdout.flush()  # a caller that asks line by line waits for it
    if wrong:
        raise typer.Exit(Exit.INVALID)


def _answered(
    answer: Callable[[Mapping[str, JsonValue]], Answer], line: bytes
) -> Answer:
    if len(line) > LINE_MAX:
        return {
            "error": f"the line has more than {LINE_MAX} bytes: leave something out"
        }
    try:
        asked = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {"error": f"the line is no JSON: {error}"}
    if not isinstance(asked, dict):
        return {"error": "write one JSON object a line"}
    try:
        return answer(asked)
    except ValueError as error:
        return {"error": str(error)}
