"""A problem and a change, and what is decided about them."""

from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from services.intake.records.rules import DecisionContext, decide
from services.intake.records.system_command import AnyCommand
from shared.domain.change import Change
from shared.domain.events.change import ChangeRequested
from shared.domain.events.event import Event
from shared.domain.events.problem import ProblemIdentified
from shared.domain.policy.document import Policy
from shared.domain.problem import Problem
from shared.domain.record import Record, RecordEvent, replayed
from shared.domain.refusal import Refused
from tests.unit.intake.commands.scenario import LATER, ODETTE, POLICY

PRB, PRB_2 = "PRB-000001", "PRB-000002"
CHG = "CHG-000001"

E = TypeVar("E", bound=Event)


def of(kind: type[E], **fields: Any) -> E:
    """Return an event of PRB or CHG, of Odette, at LATER."""
    usual = {"problem": PRB, "change": CHG, "at": LATER, "by": ODETTE, "policy": 1}
    given = {**usual, **fields}
    return kind(**{name: v for name, v in given.items() if name in kind.model_fields})


def identified(**fields: Any) -> ProblemIdentified:
    """Return a problem that staff identified."""
    usual = {
        "title": "Tickets are lost",
        "service": "billetterie",
        "team": "causes",
        "origin": "staff",
    }
    return of(ProblemIdentified, **{**usual, **fields})


def requested(**fields: Any) -> ChangeRequested:
    """Return a change somebody requested."""
    usual: dict[str, Any] = {
        "title": "Another queue",
        "service": "billetterie",
        "team": "editeur",
        "incident": None,
        "problem": None,
    }
    return of(ChangeRequested, **{**usual, **fields})


def problem(*later: RecordEvent, **fields: Any) -> Problem:
    """Return a problem after some events."""
    made = replayed([identified(**fields), *later])
    assert isinstance(made, Problem)
    return made


def change(*later: RecordEvent, **fields: Any) -> Change:
    """Return a change after some events."""
    made = replayed([requested(**fields), *later])
    assert isinstance(made, Change)
    return made


@dataclass(frozen=True)
class Desk:
    """Some records; `wishes` says what a wish about one of them comes to."""

    records: tuple[Record, ...] = ()
    policy: Policy = POLICY

    def wishes(self, ref: str, wish: AnyCommand) -> list[RecordEvent]:
        """Return what is decided."""
        records = {each.ref: each for each in self.records}
        context = DecisionContext(ref, LATER, ODETTE, self.policy, 1, others=records)
        found = decide(wish, records.get(ref), context)
        # Whose key seals their words is told apart.
        return [event.model_copy(update={"whose": None}) for event in found]

    def refuses(self, ref: str, wish: AnyCommand, because: str, code: str) -> None:
        """Require a no whose sentence holds these words."""
        with pytest.raises(Refused, match=because) as no:
            self.wishes(ref, wish)
        assert no.value.code == code


def desk(*records: Record) -> Desk:
    """Return a desk with these records."""
    return Desk(records)
