"""A command: a wish, whose it is, and when. The edge makes it; nobody sends it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from services.intake.signals import Signal
from shared.changes.wishes import ChangeWish
from shared.events.event import Actor
from shared.problems.wishes import ProblemWish
from shared.references import IncidentRef
from shared.wishes import PersonsWish


@dataclass(frozen=True, slots=True)
class Trigger:
    """A signal fires, and the incident does not know that yet.

    `repeats` tells how often it came since the last event that told of it;
    `follows` names an incident of the same trouble that may no longer be reopened.
    """

    verb: ClassVar[str] = "trigger"
    signal: Signal
    signal_key: str
    received_at: datetime
    repeats: int = 0
    follows: IncidentRef | None = None


@dataclass(frozen=True, slots=True)
class Recover:
    """A signal recovered."""

    verb: ClassVar[str] = "recover"
    signal: Signal
    signal_key: str
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class AcknowledgeSource:
    """Somebody acknowledged the signal where it comes from."""

    verb: ClassVar[str] = "acknowledge_source"
    signal: Signal
    signal_key: str


RecordWish = ProblemWish | ChangeWish
_Wish = TypeVar("_Wish", bound=RecordWish)


@dataclass(frozen=True, slots=True)
class CloseSilent:
    """It was resolved in this cycle, and its users stayed silent long enough."""

    verb: ClassVar[str] = "close_silent"
    cycle: int


MachinesWish = Trigger | Recover | AcknowledgeSource


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
