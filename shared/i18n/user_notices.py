"""What a user is told. Words of people are given as they wrote them; "" is none."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.domain.policy.targets import SupportLevel
from shared.i18n.promise_lines import Promise

WITHHELD = "[withheld]"
"""Stands for the title where the reader may never have written to us."""


@dataclass(frozen=True)
class Receipt:
    """We have it on record. No promise, no sentence about one.

    `attached`: it was added to an incident known already. `taken`: a person has taken
    it on by now.
    """

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()
    words: str = ""
    attached: bool = False
    taken: bool = False


@dataclass(frozen=True)
class UnconfirmedReceipt:
    """Somebody gave the reader's address, perhaps another: it repeats nothing."""

    incident: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Taken:
    """A person took it on. `promises` are those still to be kept."""

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Escalated:
    """The next level works on it; the desk stays whom to ask."""

    incident: str
    title: str
    to_level: SupportLevel


@dataclass(frozen=True)
class Returned:
    """A level that had it before works on it again; the desk stays whom to ask."""

    incident: str
    title: str
    to_level: SupportLevel


@dataclass(frozen=True)
class Question:
    """We wait for an answer. `clock_stands`: the contract stops TTR for that."""

    incident: str
    title: str
    question: str
    clock_stands: bool = False


@dataclass(frozen=True)
class Update:
    """How things stand, in the words of the desk."""

    incident: str
    title: str
    message: str


@dataclass(frozen=True)
class Workaround:
    """Service is back by a detour; the cause is still looked for."""

    incident: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Restored:
    """Service is back."""

    incident: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Resolved:
    """The last message: what was done, and when we close without an answer."""

    incident: str
    title: str
    solution: str = ""
    closes_at: datetime | None = None


@dataclass(frozen=True)
class Reopened:
    """It was not over; work goes on."""

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Cancelled:
    """Nothing more is done about it, and why."""

    incident: str
    title: str
    reason: Literal["not_an_incident", "duplicate", "withdrawn", "test"]
    note: str = ""


@dataclass(frozen=True)
class Merged:
    """It is followed under another reference, `into`."""

    incident: str
    title: str
    into: str


@dataclass(frozen=True)
class ProblemWorkaround:
    """What helps until the cause behind several incidents is gone."""

    incident: str
    title: str
    problem: str
    workaround: str


@dataclass(frozen=True)
class Extension:
    """We cannot hold what we promised, and ask for more time; `why` as the desk wrote.

    `was_due_at` is None while the clock stands; `url` is where one may answer.
    """

    incident: str
    title: str
    new_due_at: datetime
    answer_by: datetime
    why: str
    was_due_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True)
class Agreed:
    """Somebody of the desk took down that this person agreed to a longer delay."""

    incident: str
    title: str
    due_at: datetime
    evidence: str = ""
    was_due_at: datetime | None = None


UserNotice = (
    Receipt
    | UnconfirmedReceipt
    | Taken
    | Escalated
    | Returned
    | Question
    | Update
    | Workaround
    | Restored
    | Resolved
    | Reopened
    | Cancelled
    | Merged
    | ProblemWorkaround
    | Extension
    | Agreed
)
