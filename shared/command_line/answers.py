"""How commands answer: people by sentences, programs by JSON, both by an exit code."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from shared.command_line.sheet import Sheet
from shared.mistake import Mistake

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class Exit(IntEnum):
    """Exit codes of the commands about a desk that runs."""

    OK = 0
    DIFFERS = 1  # done, and not as one would wish: another policy, chain or digest
    INVALID = 2
    UNREACHABLE = 3
    OUTRUN = 4  # somebody else does or did the same; nothing was done


def answer(as_json: bool, plain: object, *human: RenderableType | str) -> None:
    """Print `plain` as JSON, or `human` for a person to read."""
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=1, default=plain_text))
        return
    console = Console(soft_wrap=True)
    for part in human:
        # A text is not ours alone: what looks like markup in it is not.
        console.print(Text(part) if isinstance(part, str) else part)


def refused(as_json: bool, sentence: str, code: int) -> typer.Exit:
    """Say why not; return what ends the command."""
    if as_json:
        typer.echo(json.dumps({"error": sentence}, ensure_ascii=False))
    else:
        Console(stderr=True, soft_wrap=True).print(Text(sentence, style="red"))
    return typer.Exit(code)


def refused_for(as_json: bool, name: str, mistakes: Sequence[Mistake]) -> typer.Exit:
    """Say every mistake in the file `name`; return what ends the command."""
    if as_json:
        plain = {"ok": False, "mistakes": [asdict(each) for each in mistakes]}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=1))
        return typer.Exit(Exit.INVALID)
    console = Console(stderr=True, soft_wrap=True)
    for mistake in mistakes:
        console.print(Text(f"{name}: {mistake}"))
    number = counted(len(mistakes), "mistake")
    console.print(Text(f"{number}; nothing was done.", style="red"))
    return typer.Exit(Exit.INVALID)


def plain_text(value: object) -> str:
    """Return a value as text; an instant as in every other answer of ours."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def table_of(*columns: str, title: str | None = None) -> Sheet:
    """Return an empty table; nothing in it is cut off, however narrow the terminal."""
    return Sheet(columns, title)


def counted(number: int, what: str) -> str:
    """Return `1 event`, `2 events`; `what` is a word with a plural in s."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
