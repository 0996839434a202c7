"""Ranks what may help during a call: workarounds, solution notes, known incidents.

Pure. Each proposal says why it is made, and how it was ranked follows from that alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.projections.words.normalization import words_of

Kind = Literal["workaround", "solution", "incident"]
Because = Literal["service", "words", "outage", "reported_by_others", "used"]

WORD_MIN = 3
"""Shorter words say nothing about what a call is about."""
MATCHES_MAX = 3
"""How many common words count: more of them say no more."""
_POINTS: dict[Because, int] = {
    "service": 4,
    "outage": 4,
    "reported_by_others": 2,
    "used": 1,
}
_WORD_POINTS = 3
_ENGLISH = """
about after again all also and any are because been before being both but can could
did does doing don each few for from further had has have having her here hers herself
him himself his how into isn its itself just let may might more most must myself nor
now once only other ought our ours ourselves over own please same she should some such
than that the their theirs them themselves then there these they this those through
too under until very was wasn were what when where which while who whom why will with
won would yes you your yours yourself yourselves hello thanks thank
"""
_FRENCH = """
afin ainsi ait alors apres assez aucun aucune aura aurait aussi autre autres aux avait
avant avec avez avoir avons ayant bien bonjour car cela celle celles celui ces cet
cette ceux chaque chez comme comment dans depuis des deux devant dois doit donc dont
elle elles encore entre est etait etaient etant ete etes etre eux fait fois font ici
ils juste les leur leurs lors lui mais meme memes merci mes moi moins mon non nos
notre nous ont par parce pas pendant peu peut peux plusieurs pour pourquoi pouvez
pouvoir puis quand que quel quelle quelles quels qui quoi sans sera serait ses
seulement sinon soit sommes son sont sous suis sur tes toi ton tous tout toute toutes
tres trop une vers veut veux voila vos votre vous vraiment
"""
FUNCTION_WORDS = frozenset(f"{_ENGLISH} {_FRENCH}".split())
"""Words that tell nothing, as `words_of` has them: without case and accents, and apart
at an apostrophe. Kept are those that may say what is broken: `off`, `down`, `plus`."""
_KINDS: Sequence[Kind] = ("incident", "workaround", "solution")
"""The order of equals: what the call may belong to first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may help; `text` is what is compared with the caller's words."""

    kind: Kind
    ref: str
    service: str
    text: str
    at: datetime
    is_outage: bool = False
    """It is urgent, and service is not restored."""
    is_reported: bool = False
    """Other people reported it too."""
    uses: int = 0
    """How often it was used."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate, and why it is proposed."""

    candidate: Candidate
    because: tuple[Because, ...]
    points: int


def ranked(
    candidates: Iterable[Candidate], service: str | None, words: str, most: int
) -> list[Proposal]:
    """Return the best candidates, the most likely first; none without a reason.

    There are at most `most` of each kind: an outage that everybody calls about does not
    crowd out the workaround.

    A candidate has to be of the service, or share a word with the caller; the other
    reasons only rank it. Equals are in the order of kinds, then the newest first.
    """
    spoken = telling_words(words)
    found = (_judged(each, service, spoken) for each in candidates)
    wanted = [each for each in found if {"service", "words"} & set(each.because)]
    wanted.sort(
        key=lambda each: (
            -each.points,
            _KINDS.index(each.candidate.kind),
            -each.candidate.at.timestamp(),
            each.candidate.ref,
        )
    )
    left = dict.fromkeys(_KINDS, most)
    best: list[Proposal] = []
    for each in wanted:
        if left[each.candidate.kind]:
            left[each.candidate.kind] -= 1
            best.append(each)
    return best


def telling_words(text: str) -> frozenset[str]:
    """Return the words of a text that tell what it is about: not `the`, nor `une`."""
    return frozenset(
        word
        for word in words_of(text)
        if len(word) >= WORD_MIN and word not in FUNCTION_WORDS
    )


def _judged(
    candidate: Candidate, service: str | None, spoken: frozenset[str]
) -> Proposal:
    common = len(spoken & telling_words(candidate.text))
    applies: dict[Because, bool] = {
        "service": service is not None and candidate.service == service,
        "words": common > 0,
        "outage": candidate.is_outage,
        "reported_by_others": candidate.is_reported,
        "used": candidate.uses > 0,
    }
    because = tuple(name for name, does in applies.items() if does)
    points = sum(_POINTS.get(name, 0) for name in because)
    points += _WORD_POINTS * min(common, MATCHES_MAX)
    return Proposal(candidate, because, points)
