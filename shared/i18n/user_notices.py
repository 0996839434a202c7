"""Notices to users. Texts of people are unchanged; "" means no text."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.domain.policy.targets import SupportLevel
from shared.i18n.promise_lines import Promise

WITHHELD = "[withheld]"
"""Replaces the title if the reader may never have written to the desk."""


@dataclass(frozen=True)
class Receipt:
    """The report is recorded. The receipt mentions promises only if any were made.

    `attached`: it was added to a known incident. `taken`: a person has accepted it by
    now.
    """

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()
    words: str = ""
    attached: bool = False
    taken: bool = False


@dataclass(frozen=True)
class UnconfirmedReceipt:
    """Somebody, perhaps another person, gave the reader's address: quotes nothing."""

    incident: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Taken:
    """A person accepted it. `promises` are those that are still open."""

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Escalated:
    """The next support level works on it; the desk remains the contact."""

    incident: str
    title: str
    to_level: SupportLevel


@dataclass(frozen=True)
class Returned:
    """An earlier support level works on it again; the desk remains the contact."""

    incident: str
    title: str
    to_level: SupportLevel


@dataclass(frozen=True)
class Question:
    """The desk waits for an answer. `clock_stands`: this pauses the TTR."""

    incident: str
    title: str
    question: str
    clock_stands: bool = False


@dataclass(frozen=True)
class Update:
    """A status update, in the words of the desk."""

    incident: str
    title: str
    message: str


@dataclass(frozen=True)
class Workaround:
    """Service is restored by a workaround; the cause is still being investigated."""

    incident: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Restored:
    """Service is restored."""

    incident: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Resolved:
    """The last message: what was done, and when it is closed without an answer."""

    incident: str
    title: str
    solution: str = ""
    closes_at: datetime | None = None


@dataclass(frozen=True)
class Reopened:
    """It was reopened; work continues."""

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Cancelled:
    """It was cancelled, and why."""

    incident: str
    title: str
    reason: Literal["not_an_incident", "duplicate", "withdrawn", "test"]
    note: str = ""


@dataclass(frozen=True)
class Merged:
    """It continues under another reference, `into`."""

    incident: str
    title: str
    into: str


@dataclass(frozen=True)
class ProblemWorkaround:
    """A workaround until the cause of several incidents is removed."""

    incident: str
    title: str
    problem: str
    workaround: str


@dataclass(frozen=True)
class Extension:
    """The desk cannot keep a promise and asks for more time; `why` is its reason.

    `was_due_at` is None while the clock is paused; `url` is the page for the answer.
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
    """Somebody at the desk recorded that this person agreed to an extension."""

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
