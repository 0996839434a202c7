"""Questions as lines of JSON: one object per line in, one per line out."""

import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

import orjson
import typer
from pydantic import JsonValue

from cli.shell.output import Exit

LINE_MAX = 1_000_000
"""Bytes of a line."""

Answer = dict[str, JsonValue]


def answer_lines(compute: Callable[[dict[str, JsonValue]], Answer]) -> None:
    """Answer each line of standard input; leave with INVALID if one was wrong."""
    wrong = False
    for line in _lines(sys.stdin.buffer):
        if line.isspace():
            continue
        result = _result(compute, line)
        wrong = wrong or "error" in result
        sys.stdout.write(f"{orjson.dumps(result).decode()}\n")
        sys.stdout.flush()  # a caller that asks line by line waits for it
    if wrong:
        raise typer.Exit(Exit.INVALID)


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream; of one that is too long, no more than shows it."""
    while line := source.readline(LINE_MAX + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = source.readline(LINE_MAX + 1)
        yield line


def _result(compute: Callable[[dict[str, JsonValue]], Answer], line: bytes) -> Answer:
    if len(line) > LINE_MAX:
        return {
            "error": f"the line has more than {LINE_MAX} bytes: leave something out"
        }
    try:
        question = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {"error": f"the line is not JSON: {error}"}
    if not isinstance(question, dict):
        return {"error": "write one JSON object a line"}
    try:
        return compute(question)
    except ValueError as error:
        return {"error": str(error)}
