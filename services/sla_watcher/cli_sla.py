"""`permanence sla`: try a calendar and a target out, one question a line."""

import sys
from collections.abc import Callable, Mapping

import orjson
import typer
from pydantic import JsonValue

from services.sla_watcher.dry_run import Answer, due_answer, elapsed_answer
from shared.command_line.answers import Exit

LINE_MAX = 1_000_000
"""Bytes of a line."""

sla = typer.Typer(
    help="Promised times: try them out, have them explained, move them.",
    no_args_is_help=True,
)


@sla.command("due")
def due_command() -> None:
    """Say when a target is used up: one JSON object a line in, one a line out.

    In: `{"calendar": {"timezone", "weekly_hours": {"mon": [["09:00", "17:00"]]},
    "holidays": ["2025-06-09", "12-25"], "open": ["2025-12-06 09:00-12:00"]}, "start",
    "target_seconds", "pauses": [{"from", "to"}]}`. Out: `{"due_at"}` in UTC, null where
    a pause without `to` comes first; `{"error"}` for a line that is wrong. Exit codes:
    0 all answered, 2 a line was wrong.
    """
    _answer_lines(due_answer)


@sla.command("elapsed")
def elapsed_command() -> None:
    """Say how much working time passes: one JSON object a line in, one a line out.

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
        sys.stdout.flush()  # whoever asks line by line waits for it
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
