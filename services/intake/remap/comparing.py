"""What an element was read as when it came, and would be read as now. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from services.intake.adapters.telling import Plain, entry
from services.intake.quarantine.reread import Kept, read_again
from shared.domain.policy.sources import Source

Verdict = Literal["same", "changed", "now_mapped", "now_rejected"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One element of a body: `then` and `now` are None where there was none such."""

    element: int
    verdict: Verdict
    then: Plain | None
    now: Plain | None


@dataclass(frozen=True, slots=True)
class Past:
    """A body as it came, and what of it went to quarantine then, with the reason.

    An adapter may have been mended since, of which no policy tells. `whole`: the body
    was none of ours as a whole.
    """

    kept: Kept
    refused: Mapping[int, str]
    whole: str | None = None


def compare(
    past: Past, said_then: Source | None, said_now: Source | None
) -> list[Compared]:
    """Return each element of a body, read by the word of the policy then and now."""
    now = _entries(past.kept, said_now)
    if past.whole is not None:
        return list(_pairs([_refused(0, past.whole)], now))
    then = [
        _refused(n, past.refused[n]) if n in past.refused else each
        for n, each in enumerate(_entries(past.kept, said_then))
    ]
    return list(_pairs(then, now))


def _pairs(then: Sequence[Plain], now: Sequence[Plain]) -> Iterator[Compared]:
    as_whole = len(then) == 1 and _is_bad(then[0])
    for n, (before, after) in enumerate(zip_longest(then, now)):
        was_bad = as_whole if before is None else _is_bad(before)
        yield Compared(n, _verdict(before, after, was_bad=was_bad), before, after)


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


def _entries(kept: Kept, said: Source | None) -> list[Plain]:
    heard = read_again(kept, said)
    if isinstance(heard, str):
        return [_refused(0, heard)]
    return [entry(each) for each in heard]


def _refused(index: int, reason: str) -> Plain:
    return {"error": reason, "index": index}


def _is_bad(element: Plain) -> bool:
    return "error" in element
