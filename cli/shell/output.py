"""How commands answer: sentences for people, JSON for programs, an exit code for both.

With `--json` a command prints one object, or a list as one object a line; an error is
an object on standard error. Progress bars also go to standard error, and only if that
is a terminal, so that answers and logs stay clean.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.shell.local_time import localised
from shared.mistake import Mistake

if TYPE_CHECKING:  # it is slow to import, and tools call commands that never need it
    from rich.console import RenderableType

in_json: ContextVar[bool] = ContextVar("in_json", default=False)
"""Whether the command that runs has `--json`."""


def _remember(as_json: bool) -> bool:
    in_json.set(as_json)
    return as_json


AsJson = Annotated[
    bool,
    typer.Option("--json", help="Answer in JSON.", is_eager=True, callback=_remember),
]
"""Every command that answers takes it; what is printed follows it by itself."""


class Exit(IntEnum):
    """Exit codes of the commands about a running desk."""

    OK = 0
    DIFFERS = 1  # done, with an unwelcome result: a different policy, chain or digest
    INVALID = 2
    UNREACHABLE = 3
    OUTRUN = 4  # somebody else does or did the same; nothing was done


def answer(plain: object, *human: "RenderableType | str") -> None:
    """Print `plain` as JSON, a list in lines, or `human` for a person to read."""
    if not in_json.get():
        for part in human:
            _show(localised(part) if isinstance(part, str) else part)
    elif isinstance(plain, list):
        for item in plain:
            typer.echo(_json(item))
    else:
        typer.echo(_json(plain, indent=1))


def _json(plain: object, indent: int | None = None) -> str:
    return json.dumps(plain, ensure_ascii=False, indent=indent, default=plain_text)


def _show(part: "RenderableType | str", style: str = "", *, err: bool = False) -> None:
    """Print for a person; text may come from others, so its markup is not read."""
    from rich.console import Console
    from rich.text import Text

    text = Text(part, style) if isinstance(part, str) else part
    Console(stderr=err, soft_wrap=True).print(text)


def refused(sentence: str, code: int) -> typer.Exit:
    """Print why not; return the exception that ends the command."""
    if in_json.get():
        typer.echo(_json({"error": sentence}), err=True)
    else:
        _show(sentence, "red", err=True)
    return typer.Exit(code)


def refused_for(
    name: str, mistakes: Sequence[Mistake], done: str = "nothing was done"
) -> typer.Exit:
    """Print all mistakes in the file `name`; return the exception that ends it.

    `done` says what was done all the same.
    """
    if in_json.get():
        found = [asdict(each) for each in mistakes]
        plain = {"ok": False, "mistakes": found, "done": done}
        typer.echo(_json(plain, indent=1), err=True)
        return typer.Exit(Exit.INVALID)
    for mistake in mistakes:
        _show(f"{name}: {mistake}", err=True)
    _show(f"{counted(len(mistakes), 'mistake')}; {done}.", "red", err=True)
    return typer.Exit(Exit.INVALID)


def warn(name: str, warnings: Sequence[Mistake]) -> list[dict[str, object]]:
    """Show warnings about a file to a person; return them for the answer in JSON."""
    if not in_json.get():
        for each in warnings:
            _show(f"{name}: warning: {each}", "yellow", err=True)
    return [asdict(each) for each in warnings]


Report = Callable[[str, int, int | None], None]
"""Moves the bar of a stage: its key, done, total; without a total it only pulses."""


@contextmanager
def bar(stages: Mapping[str, str]) -> Iterator[Report]:
    """Yield a function that shows how far each stage of long work is."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=in_json.get() or not console.is_terminal,
    ) as progress:
        tasks = {
            stage: progress.add_task(text, total=None, visible=False)
            for stage, text in stages.items()
        }

        def report(stage: str, done: int, total: int | None) -> None:
            progress.update(tasks[stage], completed=done, total=total, visible=True)

        yield report


def plain_text(value: object) -> str:
    """Return a value as text; an instant in the format of all answers."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def counted(number: int, what: str) -> str:
    """Return `1 event`, `2 events`; `what` is a word with a plural in s."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
