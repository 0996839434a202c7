"""A command with its author and time, as the rules receive it; never sent as such."""

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
    """A signal fires, and this is not yet recorded on the incident.

    `repeats` is the number of signals since the last event that counted them; `follows`
    is an incident of the same alert that can no longer be reopened. `rule` and `of`
    name the rule that lets the signal through; with `joins` the incident gets it as a
    further alert; `reported_at` is when the SLA clocks start, if later than the signal
    was received.
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
    """The team that its incident is assigned to when it opens."""
    wakes: bool = False
    """It is worse than before: a snoozed incident is woken."""


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
    """A signal started to flap, or stopped if `held_until` is given."""

    verb: ClassVar[str] = "flap"
    source: str
    signal_key: str
    changes: int
    since: datetime
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AcknowledgeSource:
    """Somebody acknowledged the alert at its source."""

    verb: ClassVar[str] = "acknowledge_source"
    signal: Signal
    signal_key: str


@dataclass(frozen=True, slots=True)
class NoteSource:
    """Somebody wrote a note about the alert at its source."""

    verb: ClassVar[str] = "note_source"
    signal: Signal
    signal_key: str


RecordWish = ProblemWish | ChangeWish
_Wish = TypeVar("_Wish", bound=RecordWish | Link | Unlink)


@dataclass(frozen=True, slots=True)
class CloseSilent:
    """It was resolved in this cycle, and its users have been silent long enough."""

    verb: ClassVar[str] = "close_silent"
    cycle: int


MachinesWish = Trigger | Recover | Flap | AcknowledgeSource | NoteSource


@dataclass(frozen=True, slots=True)
class Command:
    """A command about `incident`, which for `open` and `trigger` may be new.

    `at` is the instant of the decision, in UTC; `roles` are those of the caller's
    token; `new` is the reference of the incident that `split` opens; `client` is the
    contract party that the directory has for the reporter of an `open`.
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
    """A command about the problem or change `ref`, which may be a new reference."""

    ref: str
    at: datetime
    by: Actor
    wish: _Wish
