"""Who reads a message, as far as its words depend on it."""

from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LAST_RESORT: Language = "en"


@dataclass(frozen=True)
class Reader:
    """`zone` is an IANA name. A language we do not write is read in the desk's first.

    `name` is how the reader is greeted; without one they are greeted all the same.
    """

    language: str | None
    zone: str
    name: str = ""


def language_of(asked: str | None, fallback: str) -> Language:
    """Return the language to write in: `asked` (`fr`, `fr-CA`), else `fallback`."""
    for written in (asked or "", fallback):
        language = written.replace("_", "-").partition("-")[0].lower()
        if _is_written(language):
            return language
    return LAST_RESORT


def _is_written(language: str) -> TypeGuard[Language]:
    return language in LANGUAGES
