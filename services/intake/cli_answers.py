"""How commands answer: people by sentences, programs by JSON, both by an exit code."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import IntEnum
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from shared.mistake import Mistake

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class Exit(IntEnum):
    """Exit codes of `permanence config` and `permanence people`."""

    OK = 0
    DIFFERS = 1
    INVALID = 2
    UNREACHABLE = 3
    OUTRUN = 4  # somebody else changed the same thing first; nothing was done


def answer(as_json: bool, plain: object, *human: RenderableType | str) -> None:
    """Print `plain` as JSON, or `human` for a person to read."""
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=1, default=str))
        return
    console = Console(soft_wrap=True)
    for part in human:
        # A text is not ours alone: what looks like markup in it is not.
        console.print(Text(part) if isinstance(part, str) else part)


def refused(as_json: bool, sentence: str, code: Exit) -> typer.Exit:
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
    number = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    console.print(Text(f"{number}; nothing was done.", style="red"))
    return typer.Exit(Exit.INVALID)
