"""`permanence remap`: shows how a corrected mapping would read earlier bodies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple, get_args

import typer
from rich.text import Text

from cli.shell.desk import (
    HOME,
    Database,
    Home,
    VaultKey,
    database_of,
    log_at,
    master_of,
    text_of,
)
from cli.shell.output import (
    AsJson,
    Exit,
    Sheet,
    answer,
    bar,
    refused,
    refused_for,
    table_of,
)
from cli.shell.parameters import instant_in
from services.intake.policy.store import source_ever
from services.intake.quarantine.remap import (
    Comparison,
    PastBody,
    Span,
    Verdict,
    compare,
    counted,
    past_bodies,
)
from shared.domain.policy.sources import Source
from shared.domain.policy.validation import read
from shared.eventlog.log import EventLog
from shared.yaml12 import TEXT_MAX

SHOWN_MAX = 100
"""Bodies that are shown; all are counted."""
_ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC))

Said = Sequence[tuple[datetime, Source | None]]
Name = Annotated[str, typer.Option("--source", help="The source whose past it is.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option(help="A policy to try; else the one in force."),
]
Since = Annotated[
    str | None, typer.Option(help="Received since: `2025-06-30T09:00+02:00`.")
]
Until = Annotated[str | None, typer.Option(help="Received before, likewise.")]


class _Outcome(NamedTuple):
    counts: Mapping[str, int]
    shown: Sequence[Mapping[str, object]]


def remap_command(  # noqa: PLR0913 # each is an option
    *,
    source: Name,
    policy: PolicyFile = None,
    since: Since = None,
    until: Until = None,
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Read again what a source has sent, and show what would be read differently now.

    A dry run: nothing is changed. Raw bodies are kept for 30 days. Exit codes: 0 no
    difference, 1 something is read differently, 2 wrong arguments, 3 the database is
    unavailable.
    """
    first, last = _ALWAYS
    span = Span(
        source,
        instant_in(since, as_json=as_json) or first,
        instant_in(until, as_json=as_json) or last,
    )
    url = database_of(database, home, as_json=as_json)
    master = master_of(home, vault_key, as_json=as_json)
    if master is None:
        sentence = "the bodies are sealed: name the vault's key with --vault-key"
        raise refused(as_json, sentence, Exit.INVALID)
    with log_at(url, master, as_json=as_json) as log:
        said = source_ever(log, source)
        now = _said_now(policy, said, source, as_json=as_json)
        outcome = _compared(log, span, said, now, hidden=as_json)
    plain = {**outcome.counts, "bodies": outcome.shown}
    answer(as_json, plain, _table(outcome), _sentence(outcome))
    if sum(outcome.counts[name] for name in get_args(Verdict) if name != "same"):
        raise typer.Exit(Exit.DIFFERS)


def _compared(
    log: EventLog, span: Span, said: Said, now: Source | None, *, hidden: bool
) -> _Outcome:
    tally: Counter[str] = Counter(dict.fromkeys((*get_args(Verdict), "forgotten"), 0))
    shown: list[Mapping[str, object]] = []
    total = counted(log, span)
    with bar({"read": "reading again"}, hidden=hidden) as told:
        for n, (digest, past) in enumerate(past_bodies(log, span), start=1):
            told("read", n, max(n, total))
            if past is None:
                tally["forgotten"] += 1
                continue
            then = _said_then(said, past.kept.received_at)
            elements = compare(past, then, now)
            tally.update(each.verdict for each in elements)
            differ = [each for each in elements if each.verdict != "same"]
            if differ and len(shown) < SHOWN_MAX:
                shown.append({"digest": digest, **_plain(past, differ)})
    return _Outcome(tally, shown)


def _said_then(said: Said, at: datetime) -> Source | None:
    """Return what the policy in force at an instant said of the source."""
    return next((each for since, each in reversed(said) if since <= at), None)


def _said_now(
    policy: Path | None, said: Said, source: str, *, as_json: bool
) -> Source | None:
    if policy is None:
        return said[-1][1] if said else None
    read_now = read(text_of(policy, TEXT_MAX, as_json=as_json))
    if isinstance(read_now, list):
        raise refused_for(as_json, str(policy), read_now)
    if source not in read_now.sources:
        sentence = f"{policy}: there is no source `{source}` in it"
        raise refused(as_json, sentence, Exit.INVALID)
    return read_now.sources[source]


def _plain(past: PastBody, differ: Sequence[Comparison]) -> Mapping[str, object]:
    return {
        "adapter": past.kept.adapter,
        "received_at": past.kept.received_at,
        "elements": [asdict(each) for each in differ],
    }


def _table(outcome: _Outcome) -> Sheet:
    table = table_of("received", "element", "verdict", "then", "now")
    for body in outcome.shown:
        elements = body["elements"]
        for each in elements if isinstance(elements, list) else []:
            words = (body["received_at"], each["element"], each["verdict"])
            texts = (_short(each["then"]), _short(each["now"]))
            table.add_row(*map(str, words), *map(Text, texts))
    return table


def _short(element: Mapping[str, object] | None) -> str:
    if element is None:
        return "-"
    if "error" in element:
        return str(element["error"])
    names = ("action", "severity", "dedup_key", "title", "occurred_at")
    return " ".join(str(element[name]) for name in names if element[name])


def _sentence(outcome: _Outcome) -> str:
    counts = outcome.counts
    said = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in counts)
    return f"{said}. Nothing was changed."
