"""Dry run: read bodies received in the past with a changed mapping.

Yields the bodies that a source has posted, in chunks, with the elements rejected at the
time, and compares how each element was read then with how it would be read now.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import zip_longest
from typing import Any, Literal

from services.intake.quarantine.retry import read_again
from services.intake.quarantine.store import QuarantinedElement
from services.intake.signals.formats.preview import Plain, entry
from services.intake.signals.raw_store import opened, opened_headers
from shared.domain.policy.sources import Source
from shared.eventlog.log import EventLog
from shared.vault.vault import VaultError

Verdict = Literal["same", "changed", "now_mapped", "now_rejected"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One element of a body; `then` or `now` is None if that reading lacks it."""

    element: int
    verdict: Verdict
    then: Plain | None
    now: Plain | None


@dataclass(frozen=True, slots=True)
class PastBody:
    """A body as received, and which of its elements were quarantined, and why.

    The reasons are stored because an adapter may have changed since, which no policy
    version shows. `whole` is the reason if the whole body was rejected.
    """

    kept: QuarantinedElement
    refused: Mapping[int, str]
    whole: str | None = None


def compare(
    past: PastBody, said_then: Source | None, said_now: Source | None
) -> list[Comparison]:
    """Compare each element of a body under the policy of then and of now."""
    now = _entries(past.kept, said_now)
    if past.whole is not None:
        return list(_pairs([_refused(0, past.whole)], now))
    then = [
        _refused(n, past.refused[n]) if n in past.refused else each
        for n, each in enumerate(_entries(past.kept, said_then))
    ]
    return list(_pairs(then, now))


def _pairs(then: Sequence[Plain], now: Sequence[Plain]) -> Iterator[Comparison]:
    as_whole = len(then) == 1 and _is_bad(then[0])
    for n, (before, after) in enumerate(zip_longest(then, now)):
        was_bad = as_whole if before is None else _is_bad(before)
        yield Comparison(n, _verdict(before, after, was_bad=was_bad), before, after)


def _verdict(before: Plain | None, after: Plain | None, *, was_bad: bool) -> Verdict:
    is_bad = after is not None and _is_bad(after)
    match was_bad, is_bad:
        case True, True:
            return "same"
        case True, False:
            return "now_mapped"
        case False, True:
            return "now_rejected"
        case _:
            return "same" if before == after else "changed"


def _entries(kept: QuarantinedElement, said: Source | None) -> list[Plain]:
    heard = read_again(kept, said)
    if isinstance(heard, str):
        return [_refused(0, heard)]
    return [entry(each) for each in heard]


def _refused(index: int, reason: str) -> Plain:
    return {"error": reason, "index": index}


def _is_bad(element: Plain) -> bool:
    return "error" in element


CHUNK = 50
"""Bodies held in memory at once, each of at most half a megabyte."""

_BETWEEN = """
source = %(source)s
AND received_at >= %(since)s AND received_at < %(until)s
AND day BETWEEN %(first)s AND %(last)s
"""
_COUNT = f"SELECT count(*) FROM intake.raw_bodies WHERE {_BETWEEN}"  # noqa: S608 # only constants
_READ = f"""
SELECT digest, day, adapter, received_at, sealed, headers FROM intake.raw_bodies
WHERE {_BETWEEN} AND (day, digest) > (%(day)s, %(digest)s)
ORDER BY day, digest LIMIT {CHUNK}
"""  # noqa: S608 # only constants
_REFUSED = """
SELECT digest, element, reason, elements FROM intake.quarantine
WHERE source = %s AND digest = ANY(%s)
"""
_BEFORE_ALL = (date(1, 1, 1), b"")


@dataclass(frozen=True, slots=True)
class Span:
    """A source and a period of reception; `until` is exclusive."""

    source: str
    since: datetime
    until: datetime

    def asked(self) -> dict[str, Any]:
        """Return query parameters; the days allow the planner to prune partitions."""
        return {
            "source": self.source,
            "since": self.since,
            "until": self.until,
            "first": self.since.astimezone(UTC).date(),
            "last": self.until.astimezone(UTC).date(),
        }


def counted(log: EventLog, span: Span) -> int:
    """Return the number of bodies in the span."""
    with log.transaction() as cursor:
        row = cursor.execute(_COUNT, span.asked()).fetchone()
    return int(row[0]) if row else 0


def past_bodies(log: EventLog, span: Span) -> Iterator[tuple[str, PastBody | None]]:
    """Yield each digest with its body; None if the body cannot be decrypted.

    A body cannot be decrypted if its source was forgotten, its key is missing or it was
    tampered with.
    """
    day, digest = _BEFORE_ALL
    while True:
        asked = span.asked() | {"day": day, "digest": digest}
        with log.transaction() as cursor:
            found = cursor.execute(_READ, asked).fetchall()
            digests = [row[0] for row in found]
            rows = cursor.execute(_REFUSED, (span.source, digests)).fetchall()
        for row in found:
            refused = [each for each in rows if each[0] == row[0]]
            yield row[0].hex(), _past(log, span.source, row, refused)
        if len(found) < CHUNK:
            return
        day, digest = found[-1][1], found[-1][0]


def _past(
    log: EventLog, source: str, row: tuple[Any, ...], refused: Sequence[Any]
) -> PastBody | None:
    try:
        body = opened(log.vault, row[0], row[4])
        headers = opened_headers(log.vault, row[0], row[5])
    except VaultError:
        return None
    if body is None:
        return None
    return PastBody(
        QuarantinedElement(0, source, row[2], row[3], 0, 1, body, headers),
        {element: reason for _, element, reason, _ in refused},
        next((reason for _, _, reason, elements in refused if elements == 1), None),
    )
