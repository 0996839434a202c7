"""Notices to users. Texts of people are unchanged; "" means no text."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal

from shared.domain.policy.targets import SupportLevel

WITHHELD = "[withheld]"
"""Replaces the title if the reader may never have written to the desk."""

Target = Literal["tto", "ttr", "update"]
StopsAt = Literal["restored", "resolved"]


@dataclass(frozen=True)
class Promise:
    """A target in working `seconds`, and when it is due.

    `due_at` is None while the clock is paused; it is not shown for `update`, which is
    periodic. `stops_at` is what fulfils the TTR.
    """

    target: Target
    seconds: int
    due_at: datetime | None = None
    stops_at: StopsAt = "restored"


@dataclass(frozen=True)
class Receipt:
    """The report is recorded. The receipt mentions promises only if any were made.

    `attached`: it was added to a known incident. `taken`: a person has accepted it by
    now, so the mail leaves out that somebody will; the clock of that promise stops only
    once the SLA watcher has read of it.
    """

    template: ClassVar = "users/receipt"

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()
    words: str = ""
    attached: bool = False
    taken: bool = False


@dataclass(frozen=True)
class UnconfirmedReceipt:
    """Somebody, perhaps another person, gave the reader's address: quotes nothing."""

    template: ClassVar = "users/receipt_unconfirmed"

    incident: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Taken:
    """A person accepted it. `promises` are those that are still open."""

    template: ClassVar = "users/taken"

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Escalated:
    """The next support level works on it; the desk remains the contact."""

    template: ClassVar = "users/escalated"

    incident: str
    title: str
    to_level: SupportLevel


@dataclass(frozen=True)
class Returned:
    """An earlier support level works on it again; the desk remains the contact."""

    template: ClassVar = "users/returned"

    incident: str
    title: str
    to_level: SupportLevel


@dataclass(frozen=True)
class Question:
    """The desk waits for an answer. `clock_stands`: this pauses the TTR."""

    template: ClassVar = "users/question"

    incident: str
    title: str
    question: str
    clock_stands: bool = False


@dataclass(frozen=True)
class Update:
    """A status update, in the words of the desk."""

    template: ClassVar = "users/update"

    incident: str
    title: str
    message: str


@dataclass(frozen=True)
class Workaround:
    """Service is restored by a workaround; the cause is still being investigated."""

    template: ClassVar = "users/workaround"

    incident: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Restored:
    """Service is restored."""

    template: ClassVar = "users/restored"

    incident: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Resolved:
    """The last message: what was done, and when it is closed without an answer."""

    template: ClassVar = "users/resolved"

    incident: str
    title: str
    solution: str = ""
    closes_at: datetime | None = None


@dataclass(frozen=True)
class Reopened:
    """It was reopened; work continues."""

    template: ClassVar = "users/reopened"

    incident: str
    title: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Cancelled:
    """It was cancelled, and why."""

    template: ClassVar = "users/cancelled"

    incident: str
    title: str
    reason: Literal["not_an_incident", "duplicate", "withdrawn", "test"]
    note: str = ""


@dataclass(frozen=True)
class Redirected:
    """It is not for the desk, and was handed to `to`; `message` is what the desk says.

    `to` is the name that users know, or "" if the policy has none any more.
    """

    template: ClassVar = "users/redirected"

    incident: str
    title: str
    to: str
    message: str


@dataclass(frozen=True)
class Merged:
    """It continues under another reference, `into`."""

    template: ClassVar = "users/merged"

    incident: str
    title: str
    into: str


@dataclass(frozen=True)
class ProblemWorkaround:
    """A workaround until the cause of several incidents is removed."""

    template: ClassVar = "users/problem_workaround"

    incident: str
    title: str
    problem: str
    workaround: str


@dataclass(frozen=True)
class Extension:
    """The desk cannot keep a promise and asks for more time; `why` is its reason.

    `was_due_at` is None while the clock is paused; `url` is the page for the answer.
    """

    template: ClassVar = "users/extension"

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

    template: ClassVar = "users/agreed"

    incident: str
    title: str
    due_at: datetime
    evidence: str = ""
    was_due_at: datetime | None = None


@dataclass(frozen=True)
class SurveyQuestion:
    """Asks a user about their closed incident. `url` leads to the questions.

    `again`: it is the reminder. It names no title: the link is enough.
    """

    template: ClassVar = "users/survey"

    incident: str
    url: str
    until: datetime
    again: bool = False


@dataclass(frozen=True)
class ClientSurveyQuestion:
    """Asks a contact of a client in a period. `url` leads to the questions."""

    template: ClassVar = "access/client_survey"

    url: str
    until: datetime
    again: bool = False


SurveyInvitationNotice = SurveyQuestion | ClientSurveyQuestion


@dataclass(frozen=True)
class MonthReportNotice:
    """To a contact of a client: the report of a month, at `url`.

    `corrects` is the edition that it corrects, 0 for the first one.
    """

    template: ClassVar = "access/month_report"

    month: date
    url: str
    until: datetime
    corrects: int = 0


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
    | Redirected
    | Merged
    | ProblemWorkaround
    | Extension
    | Agreed
)
