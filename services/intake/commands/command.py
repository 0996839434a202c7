"""A command: a wish, whose it is, and when. The edge makes it; nobody sends it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from services.intake.signals.schemas import Signal
from shared.domain.commands.change import ChangeWish
from shared.domain.commands.incident import Link, PersonsWish, Unlink
from shared.domain.commands.problem import ProblemWish
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef


@dataclass(frozen=True, slots=True)
class Trigger:
    """A signal fires, and the incident does not know that yet.

    `repeats` tells how often it came since the last event that told of it;
    `follows` names an incident of the same trouble that may no longer be reopened.
    `rule` and `of` say by which rule of the pipeline it is news; `joins` whether it is
    another trouble than those the incident has; `reported_at` when its clocks start,
    where that is later than it was received.
    """

    verb: ClassVar[str] = "trigger"
    signal: Signal
    signal_key: str
    received_at: datetime
    repeats: int = 0
    follows: IncidentRef | None = None
    rule: str | None = None
    of: str | None = None
    joins: bool = False
    reported_at: datetime | None = None
    team: str | None = None
    """Whom its incident is given to as it opens."""
    wakes: bool = False
    """It is worse than before: a snoozed incident makes news again."""


@dataclass(frozen=True, slots=True)
class Recover:
    """A signal recovered, or counts as recovered since `held_until`."""

    verb: ClassVar[str] = "recover"
    source: str
    signal_key: str
    repeats: int = 0
    occurred_at: datetime | None = None
    held_until: datetime | None = None
    rule: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Flap:
    """A signal began to go up and down; or ceased to, where `held_until` is given."""

    verb: ClassVar[str] = "flap"
    source: str
    signal_key: str
    changes: int
    since: datetime
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AcknowledgeSource:
    """Somebody acknowledged the signal where it comes from."""

    verb: ClassVar[str] = "acknowledge_source"
    signal: Signal
    signal_key: str


@dataclass(frozen=True, slots=True)
class NoteSource:
    """Somebody wrote a note about the signal where it comes from."""

    verb: ClassVar[str] = "note_source"
    signal: Signal
    signal_key: str


RecordWish = ProblemWish | ChangeWish
_Wish = TypeVar("_Wish", bound=RecordWish | Link | Unlink)


@dataclass(frozen=True, slots=True)
class CloseSilent:
    """It was resolved in this cycle, and its users stayed silent long enough."""

    verb: ClassVar[str] = "close_silent"
    cycle: int


MachinesWish = Trigger | Recover | Flap | AcknowledgeSource | NoteSource


@dataclass(frozen=True, slots=True)
class Command:
    """A wish about `incident`, which for `open` and `trigger` may be a new reference.

    `at` is the instant of the decision, in UTC; `roles` are what the caller's token
    carries; `new` is the reference of the incident that `split` opens; `client` is the
    contract party that the directory gives the reporter of an `open`.
    """

    incident: IncidentRef
    at: datetime
    by: Actor
    wish: PersonsWish | MachinesWish | CloseSilent
    roles: tuple[str, ...] = ()
    new: IncidentRef | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class RecordCommand(Generic[_Wish]):
    """A wish about the problem or change `ref`, which may be a new reference."""

    ref: str
    at: datetime
    by: Actor
    wish: _Wish
