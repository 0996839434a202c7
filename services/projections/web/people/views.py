"""What the screens for people show of the API's answers. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

Right = Mapping[str, Any]
UNUSED = timedelta(days=90)
"""A right that nobody used for so long is one to ask about."""
_PERSON = "person:"
_MISTAKE = re.compile(
    r"(?:(?:row|line) (\d{1,7}): (?:([^:`]{1,200}): )?)?(.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person in the list: what they may do, when they last did, where they are."""

    person: str
    rights: Sequence[Right] = ()
    sessions: int | None = None
    """None if the visitor may not see sessions."""
    seen: Sequence[str] = ()
    """When each of these sessions was last used."""

    @property
    def last_used(self) -> str | None:
        """When they last used a session or a token.

        A session may have the rights of a token, which itself was not used then.
        """
        used = [each["last_used"] for each in self.rights if each["last_used"]]
        return max((*used, *self.seen), key=datetime.fromisoformat, default=None)


def lines(
    rights: Iterable[Right], sessions: Sequence[Mapping[str, Any]] | None
) -> dict[str, PersonLine]:
    """Return a line for each person who has a right, by id; machines are left out."""
    seen: dict[str, list[str]] = {}
    for each in sessions or ():
        whose = str(each["actor"]).removeprefix(_PERSON)
        seen.setdefault(whose, []).append(each["last_used"])
    found = {}
    for person, held in groupby(rights, key=lambda each: str(each["person"])):
        if ":" in person:
            continue
        own = seen.get(person, ())
        count = None if sessions is None else len(own)
        found[person] = PersonLine(person, tuple(held), count, own)
    return found


def is_in_team(line: PersonLine, team: str) -> bool:
    """Return whether a right of the person is limited to this team, among others."""
    return any(team in (each["teams"] or ()) for each in line.rights)


def is_over(right: Right, now: datetime) -> bool:
    """Return whether a right was withdrawn or has ended by itself."""
    until = right["until"]
    return bool(right["ended_at"]) or (
        until is not None and datetime.fromisoformat(until) <= now
    )


def is_unused(right: Right, now: datetime) -> bool:
    """Return whether a right was there and not used for 90 days."""
    since = max(
        datetime.fromisoformat(each)
        for each in (right["given_at"], right["last_used"])
        if each
    )
    return now - since >= UNUSED


@dataclass(frozen=True, slots=True)
class FileMistake:
    """A mistake in a file of people: where it is, and what to do."""

    row: int | None
    column: str
    sentence: str
    written: str = ""
    """The row as it was sent, if that is known."""


def mistakes_in(text: str, messages: Sequence[str]) -> Sequence[FileMistake]:
    """Return the mistakes of a file by row, from the messages of the API."""
    lines = () if '"' in text else text.split("\n")  # a cell may have several lines
    found = []
    for message in messages:
        written = _MISTAKE.fullmatch(message)
        number, column, sentence = (
            written.groups() if written else (None, None, message)
        )
        row = int(number) if number else None
        line = lines[row - 1].strip() if row and row <= len(lines) else ""
        found.append(FileMistake(row, column or "", sentence, line))
    return found
