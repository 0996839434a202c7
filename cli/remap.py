"""`permanence remap`: shows how a corrected mapping would read earlier bodies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args

import typer

from cli.shell.desk import HOME, Database, DeskAddress, Home, VaultKey, text_of
from cli.shell.output import AsJson, Exit, answer, bar, refused, refused_for
from cli.shell.parameters import Since, Until, instant_in
from cli.shell.table import Table
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

Versions = Sequence[tuple[datetime, Source | None]]
Name = Annotated[str, typer.Option("--source", help="The source whose past it is.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option(help="A policy to try; else the one in force."),
]

app = typer.Typer()


class _Outcome(NamedTuple):
    counts: Mapping[str, int]
    shown: Sequence[Mapping[str, Any]]


@app.command("remap")
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
    span = Span(source, instant_in(since) or first, instant_in(until) or last)
    desk = DeskAddress(database, home)
    desk.url()
    master = desk.master(vault_key)
    if master is None:
        sentence = "the bodies are sealed: name the vault's key with --vault-key"
        raise refused(sentence, Exit.INVALID)
    with desk.log(master) as log:
        versions = source_ever(log, source)
        if policy is None and not any(entry for _, entry in versions):
            sentence = (
                f"no policy ever had a source `{source}`: see `permanence config show`"
            )
            raise refused(sentence, Exit.INVALID)
        now = _source_now(policy, versions, source)
        outcome = _compared(log, span, versions, now)
    plain = {**outcome.counts, "bodies": outcome.shown}
    answer(plain, _table(outcome), _sentence(outcome))
    if sum(outcome.counts[name] for name in get_args(Verdict) if name != "same"):
        raise typer.Exit(Exit.DIFFERS)


def _compared(
    log: EventLog, span: Span, versions: Versions, now: Source | None
) -> _Outcome:
    tally: Counter[str] = Counter(dict.fromkeys((*get_args(Verdict), "forgotten"), 0))
    shown: list[Mapping[str, Any]] = []
    total = counted(log, span)
    with bar({"read": "reading again"}) as report:
        for n, (digest, past) in enumerate(past_bodies(log, span), start=1):
            report("read", n, max(n, total))
            if past is None:
                tally["forgotten"] += 1
                continue
            then = _source_then(versions, past.kept.received_at)
            elements = compare(past, then, now)
            tally.update(each.verdict for each in elements)
            differ = [each for each in elements if each.verdict != "same"]
            if differ and len(shown) < SHOWN_MAX:
                shown.append({"digest": digest, **_plain(past, differ)})
    return _Outcome(tally, shown)


def _source_then(versions: Versions, at: datetime) -> Source | None:
    """Return the source as the policy in force at an instant had it."""
    return next((each for since, each in reversed(versions) if since <= at), None)


def _source_now(policy: Path | None, versions: Versions, source: str) -> Source | None:
    if policy is None:
        return versions[-1][1] if versions else None
    read_now = read(text_of(policy, TEXT_MAX))
    if isinstance(read_now, list):
        raise refused_for(str(policy), read_now)
    if source not in read_now.sources:
        sentence = f"{policy}: it has no source `{source}`"
        raise refused(sentence, Exit.INVALID)
    return read_now.sources[source]


def _plain(past: PastBody, differ: Sequence[Comparison]) -> Mapping[str, Any]:
    return {
        "adapter": past.kept.adapter,
        "received_at": past.kept.received_at,
        "elements": [asdict(each) for each in differ],
    }


def _table(outcome: _Outcome) -> Table:
    rows = [
        (
            body["received_at"],
            each["element"],
            each["verdict"],
            _short(each["then"]),
            _short(each["now"]),
        )
        for body in outcome.shown
        for each in body["elements"]
    ]
    return Table(("received", "element", "verdict", "then", "now"), rows)


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
