"""Which figures of answers are shown: none may tell what a few people answered. Pure.

A figure is about a set of answers. Two figures tell what the answers say by which they
differ: so both are shown only if they do not differ, or by enough answers. This
concerns all figures of a period, whatever divides the answers: the team `network` and
the service `wifi` may differ by one answer.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

AnswerSet = frozenset[int]
"""Answers, as numbers of the smallest groups that have all in common."""
_Key = TypeVar("_Key", bound=Hashable)


class ShownFigures:
    """The figures that are shown so far; `sizes` are those of the smallest groups."""

    def __init__(self, sizes: Sequence[int], least: int) -> None:
        self._sizes = sizes
        self._least = least
        self._shown: list[int] = []
        self._with: defaultdict[int, list[int]] = defaultdict(list)

    def tell_apart(self, answers: AnswerSet) -> bool:
        """Return whether a figure and one that is shown differ by too few answers."""
        common = Counter[int]()
        for each in answers:
            for other in self._with[each]:
                common[other] += self._sizes[each]
        size = self._size(answers)
        return any(
            0 < size + self._shown[other] - 2 * n < self._least
            for other, n in common.items()
        )

    def add(self, figures: Iterable[AnswerSet]) -> None:
        """Show figures."""
        for answers in figures:
            for each in answers:
                self._with[each].append(len(self._shown))
            self._shown.append(self._size(answers))

    def divide(
        self, divided: Mapping[_Key, AnswerSet], least: int | None = None
    ) -> frozenset[_Key]:
        """Show the figures of a partition; return the parts whose are withheld.

        These are all parts, if one that is shown would tell another figure's answers.
        `least` answers are needed for a part. Default: as for a difference.
        """
        hidden = self.hidden(divided, least)
        following = self.following(divided, hidden)
        if any(map(self.tell_apart, following)):
            return frozenset(divided)
        self.add(following)
        return hidden

    def hidden(
        self, divided: Mapping[_Key, AnswerSet], least: int | None = None
    ) -> frozenset[_Key]:
        """Return the parts that are withheld because of the partition alone."""
        sizes = {key: self._size(part) for key, part in divided.items()}
        return withheld(sizes, self._least if least is None else least)

    def following(
        self, divided: Mapping[_Key, AnswerSet], hidden: Iterable[_Key]
    ) -> Sequence[AnswerSet]:
        """Return the parts that are shown, and the rest: the whole tells it."""
        left = set(hidden)
        rest = frozenset[int]().union(*(divided[key] for key in left))
        parts = [part for key, part in divided.items() if key not in left]
        return [*parts, rest] if rest else parts

    def _size(self, answers: Iterable[int]) -> int:
        return sum(self._sizes[each] for each in answers)


def divided_by(keys: Sequence[_Key], part: Iterable[int]) -> Mapping[_Key, AnswerSet]:
    """Return the partition of some answers by the key that each of all has."""
    found: defaultdict[_Key, set[int]] = defaultdict(set)
    for each in part:
        found[keys[each]].add(each)
    return {key: frozenset(members) for key, members in found.items()}


def withheld(sizes: Mapping[_Key, int], least: int) -> frozenset[_Key]:
    """Return the groups whose figures are not shown.

    Those with fewer than `least` answers; and, as long as all hidden ones together
    have fewer, the smallest of the others: the total would give them away.
    """
    hidden = {key for key, n in sizes.items() if 0 < n < least}
    others = sorted(
        (key for key, n in sizes.items() if n >= least),
        key=lambda key: (sizes[key], str(key)),
    )
    for key in others:
        if not 0 < sum(sizes[each] for each in hidden) < least:
            break
        hidden.add(key)
    return frozenset(hidden)
