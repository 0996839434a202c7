"""A command as received, with what is needed to decide it, and the answers to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Self

from services.intake.callers.rules import commanders_within, new_entry
from services.intake.records.rules import VERBS
from services.intake.records.system_command import AnyCommand
from shared.attachments.content import EncryptedContent
from shared.commands.refusals import digest_of
from shared.directory import DirectoryEntry
from shared.domain.commands.caller import NewCaller
from shared.domain.commands.incident import (
    Assign,
    Attach,
    Merge,
    Open,
    RemoveAttachment,
    Split,
    Unmerge,
)
from shared.domain.events.incident import IncidentClosed, IncidentResolved
from shared.domain.limits import Within
from shared.domain.record import RecordEvent, RecordKind, kind_of, record_of, stream_of
from shared.eventlog.log import EventLog
from shared.messaging.commands import (
    Answered,
    CommandAnswer,
    CommandRequest,
    Done,
    RecordAnswer,
)

REFERENCES = (
    "into",
    "target",
    "follows",
    "solution",
    "incident",
    "problem",
    "change",
)
"""The fields in which the body of a command names other records."""


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command as received; the digest detects that its id is used for another one."""

    request: CommandRequest[Any]
    digest: bytes
    content: EncryptedContent | None = None
    """The content of a file to attach, stored in the same transaction."""
    caller: DirectoryEntry | None = None
    """The entry of a new caller, added to the directory in the same transaction."""

    @classmethod
    def of(cls, request: CommandRequest[Any]) -> Self:
        """Return a command whose digest covers verb, record and body.

        A new caller gets an id, which says nothing about them. A repeat gets another
        one that is not used: it is answered from the log.
        """
        title = VERBS[type(request.body)].title
        caller = None
        if isinstance(new := getattr(request.body, "caller", None), NewCaller):
            id_ = f"call-{token_hex(8)}"
            caller = new_entry(id_, new, request.scopes, request.limits)
        digest = digest_of(title, request.about, request.body)
        return cls(request, digest, caller=caller)

    @property
    def body(self) -> AnyCommand:
        """What is decided: its body, by the new caller if there is one."""
        body: AnyCommand = self.request.body
        match body:
            case Attach() if self.caller:
                return body.model_copy(update={"person": self.caller.id})
            case Open() if self.caller:
                return body.model_copy(update={"reporter": self.caller.id})
            case _:
                return body

    @property
    def within(self) -> Within:
        """The limits within which its sender commands."""
        return commanders_within(self.request.scopes, self.request.limits)

    @property
    def verb(self) -> str:
        """Its name in logs and metrics: `acknowledge`, `problem.link`."""
        return VERBS[type(self.request.body)].title

    @property
    def creates(self) -> bool:
        """Whether it creates the record that it is about."""
        return VERBS[type(self.request.body)].opening is not None

    @property
    def new_kind(self) -> RecordKind | None:
        """The kind of record that it may need a new reference for."""
        body = self.request.body
        needs = self.creates or isinstance(body, Split)
        return VERBS[type(body)].kind if needs else None

    @property
    def is_alone(self) -> bool:
        """Whether it changes more than the log, and so needs its own transaction."""
        is_removal = isinstance(self.request.body, RemoveAttachment)
        adds = self.content is not None or self.caller is not None
        return self.moves_keys or adds or is_removal

    @property
    def moves_keys(self) -> bool:
        """Whether it may move signal keys to another incident."""
        return isinstance(self.request.body, Merge | Unmerge | Split)

    @property
    def others(self) -> list[str]:
        """The other records that it names."""
        body = self.request.body
        refs = (getattr(body, name, None) for name in REFERENCES)
        return [ref for ref in refs if ref]

    @property
    def reporter(self) -> str | None:
        """Who it reports for, unless it names their client."""
        match self.request.body:
            case Open(client=None, reporter=reporter):
                return reporter
            case _:
                return None

    @property
    def assignee(self) -> str | None:
        """Whom it assigns an incident to."""
        body = self.request.body
        return body.assignee if isinstance(body, Assign) else None


def follow_up(events: Iterable[RecordEvent]) -> str | None:
    """Return what the events of a command ask its sender to do next, if anything."""
    for event in events:
        if isinstance(event, IncidentClosed) and event.asks_for_problem:
            return (
                f"{event.incident} was closed on a workaround, so its root cause is "
                "open: link it to a problem (PRB-…) that looks for the cause, or "
                "identify one"
            )
        if isinstance(event, IncidentResolved) and event.asks_for_solution:
            return (
                f"{event.incident} was resolved above N1: note what N1 can do by "
                f"itself next time (POST /v1/incidents/{event.incident}/solution)"
            )
    return None


def answer_about(
    ref: str,
    outcome: Done,
    version: int,
    positions: list[int],
    asks: str | None = None,
) -> Answered:
    """Return the answer to a command about an incident, a problem or a change."""
    if kind_of(ref) == "incident":
        return CommandAnswer(
            outcome=outcome,
            incident=ref,
            version=version,
            positions=positions,
            asks=asks,
        )
    return RecordAnswer(
        outcome=outcome, record=ref, version=version, positions=positions
    )


def repeated_answer(log: EventLog, ref: str | None, first: int, last: int) -> Answered:
    """Return the original answer to a repeated command, including positions."""
    rows = log.rows_since(first - 1, last - first + 1)
    stream = stream_of(ref) if ref else rows[0].stream
    version = max(row.version for row in rows if row.stream == stream)
    positions = list(range(first, last + 1))
    return answer_about(record_of(stream), "repeated", version, positions)
