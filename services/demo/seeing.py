"""What the demo asserts: a sentence, and whether it is so."""

from typing import Any


class Unseen(Exception):
    """Something that must be seen is not: the demo ends here, with exit code 1."""


def see(sentence: str, holds: object, saw: object = None) -> None:
    """Raise `Unseen` where it does not hold; `saw` is shown beside."""
    if not holds:
        beside = "" if saw is None else f": saw {saw!r}"
        raise Unseen(f"not so: {sentence}{beside}")


def same(sentence: str, saw: Any, wanted: Any) -> None:  # noqa: ANN401 any two values
    """Raise `Unseen` where two values differ."""
    if saw != wanted:
        raise Unseen(f"not so: {sentence}: saw {saw!r}, not {wanted!r}")
