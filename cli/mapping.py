"""`permanence map`: shows how an adapter or mapping reads a body, without a desk."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from cli.shell.output import in_json
from services.intake.signals.body import (
    BODY_BYTES_MAX,
    elements,
    read_json,
    read_kept,
    read_posted,
)
from services.intake.signals.formats import (
    ADAPTERS,
    MAPPED,
    NEVER_RECOVERS,
    adapter_for,
    format_named,
    headers_read,
    zone_of,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.preview import told
from services.intake.signals.formats.ready import TEXTS
from services.intake.signals.reception import cloud_document
from shared.clock import real_clock
from shared.domain.policy.sources import Source
from shared.http.problem_details import HttpError

WRONG = 2
HEADERS_MAX = 64

Read = Callable[[bytes], object]


class _Wrong(Exception):
    """An option that cannot be used; the message says what to do."""


Format = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="TYPE",
        help="The format: its name in `/v1/integrations/…`, or what else people call "
        "it, such as `prometheus`; with --policy the name of a source there. Of these "
        f"no source ever tells of a recovery: {', '.join(sorted(NEVER_RECOVERS))}.",
    ),
]
ByLine = Annotated[
    bool, typer.Option("--jsonl", help="One body a line in, one answer a line out.")
]
PolicyFile = Annotated[
    Path | None, typer.Option(help="A policy that says how the source is read.")
]
Shown = Annotated[
    bool,
    typer.Option(
        "--show",
        help="Read nothing: print a format that is a mapping as a source of a policy, "
        "to be copied.",
    ),
]
Headers = Annotated[
    list[str] | None,
    typer.Option(help="A header of the request, `name: value`; may be repeated."),
]


app = typer.Typer()


@app.command("map")
def map_command(
    source: Format,
    jsonl: ByLine = False,
    policy: PolicyFile = None,
    header: Headers = None,
    show: Shown = False,
) -> None:
    """Print, as JSON, the signals in a raw body on standard input. No desk is needed.

    For each: action, title, severity, dedup_key, event_id, occurred_at. In a group a
    bad element is an entry with `error`. Exit codes: 0 read; 2 a wrong option, an
    unknown format, or an invalid body, with `{"error": …}`; with --jsonl 2 at the end
    if any line had an invalid body.
    """
    in_json.set(True)
    try:
        if show:
            typer.echo(_copy(source), nl=False)
            return
        read = _reader(source, policy, _headers(header or []))
    except _Wrong as error:
        raise _refused(str(error)) from error
    if not jsonl:
        _answer_one(_read(read, sys.stdin.buffer.read(BODY_BYTES_MAX + 1)))
    elif not _answer_each(read):
        raise typer.Exit(WRONG)


def _copy(source: str) -> str:
    """Return the file of a format that is a mapping."""
    name = format_named(source)
    if name not in TEXTS:
        raise _Wrong(f"`{name}` cannot be copied: {', '.join(TEXTS)} can")
    return TEXTS[name]


def _answer_each(read: Read) -> bool:
    """Print one answer per line; tell whether all lines were valid."""
    are_good = True
    for line in _lines(sys.stdin.buffer):
        answer = _read(read, line)
        are_good = are_good and not isinstance(answer, dict)
        typer.echo(json.dumps(answer, ensure_ascii=False))
    return are_good


def _answer_one(answer: object) -> None:
    if isinstance(answer, dict):
        raise _refused(answer["error"])
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))


def _reader(name: str, policy: Path | None, headers: Mapping[str, str]) -> Read:
    """Return the reader of a body; `_Wrong` if the name is unknown."""
    said = _source(policy, name) if policy else None
    name = name if said else format_named(name)
    adapter_name = said.type if said else name
    adapter = adapter_for(adapter_name, said)
    if adapter is None:
        known = ", ".join(sorted(ADAPTERS))
        more = "name a source of this type, and its policy with --policy"
        raise _Wrong(
            f"{MAPPED}: {more}"
            if adapter_name == MAPPED
            else f"no format `{adapter_name}`: choose one of {known}"
        )

    def read(body: bytes) -> object:
        document = _document(adapter_name, body, headers)
        key = headers.get("idempotency-key") if adapter_name == "native" else None
        seen = headers_read(adapter_name, headers)
        post = InboundDocument(name, real_clock(), key, zone_of(said), seen)
        return told(adapter(document, post))

    return read


def _document(adapter_name: str, body: bytes, headers: Mapping[str, str]) -> object:
    if adapter_name == "native":
        document = read_json(body)
        elements(document)  # its limits
        return document
    if adapter_name == "cloudevents":
        return cloud_document(body, headers)
    kind = headers.get("content-type")
    return read_kept(body) if kind is None else read_posted(body, kind)


def _source(file: Path, name: str) -> Source:
    """Return a source of the policy in `file`; `_Wrong` if it does not exist."""
    # slow to import, and only needed here
    from cli.shell.desk import text_of
    from shared.domain.policy.validation import read
    from shared.yaml12 import TEXT_MAX

    policy = read(text_of(file, TEXT_MAX))
    if isinstance(policy, list):
        raise _Wrong(f"{file}: {policy[0]}: see `permanence config check`")
    if name not in policy.sources:
        known = ", ".join(policy.sources)
        choice = f"choose one of {known}" if known else "it has no sources"
        raise _Wrong(f"{file}: no source `{name}`: {choice}")
    return policy.sources[name]


def _headers(written: list[str]) -> dict[str, str]:
    if len(written) > HEADERS_MAX:
        raise _Wrong(f"more than {HEADERS_MAX} headers: leave some out")
    parts = [each.partition(":") for each in written]
    for name, colon, _ in parts:
        if not colon or not name.strip():
            raise _Wrong(f"`{name}` is not a header: write --header 'name: value'")
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _read(read: Read, body: bytes) -> object:
    try:
        return read(body)
    except HttpError as problem:
        return {"error": problem.details.detail}


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the non-empty lines; a line that is too long is cut off."""
    while line := stream.readline(BODY_BYTES_MAX + 2):
        rest = line
        while len(rest) > BODY_BYTES_MAX and not rest.endswith(b"\n"):
            rest = stream.readline(BODY_BYTES_MAX + 2)
        if body := line.strip():
            yield body


def _refused(sentence: str) -> typer.Exit:
    """Answer with an error, on standard output as every answer of this command."""
    typer.echo(json.dumps({"error": sentence}, ensure_ascii=False))
    return typer.Exit(WRONG)
