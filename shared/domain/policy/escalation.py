"""Escalation policies, and the hand-over to Problem Management.

Also marks fields that a policy may contain although they have no effect yet.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from shared.domain.policy.clause import Clause, Count, Days, Name
from shared.domain.policy.durations import Delay, Duration
from shared.mistake import Path, Wrong


class BreachBudget(Clause):
    """The budget of a service, beyond which the service is handed over.

    Give `breaches`, `overrun`, `downtime` or several; the first one exhausted triggers
    the hand-over. What was counted once is not counted again.
    """

    breaches: Count | None = None
    """The budget is exhausted by this number of breaches."""
    overrun: Duration | None = None
    """The budget is exhausted by more overdue working time than this in total."""
    downtime: Duration | None = None
    """The budget is exhausted by more downtime than this, in the hours of its contract:
    time with a recorded P1 that was not restored. Overlapping outages count once."""
    within_days: Days

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.breaches is None and self.overrun is None and self.downtime is None:
            raise ValueError(
                "say how many `breaches`, how much `overrun` or how much `downtime` is "
                "a lot"
            )
        return self

    @property
    def window(self) -> timedelta:
        """The period before the last of them in which they count."""
        return timedelta(days=self.within_days)


class Recurrence(Clause):
    """Several incidents of one signature within some days suggest a problem."""

    same_signature: Annotated[Count, Field(ge=2)]
    within_days: Days


class Problems(Clause):
    """Hand-over to Problem Management; the incident stays with the desk."""

    team: Name = "problem"
    handover_on: tuple[Literal["ttr_breach"], ...] = ("ttr_breach",)
    service: BreachBudget | None = None
    accept_within: Duration | None = None
    """After this time a hand-over is shown as unanswered."""
    suggest: Recurrence | None = None


MARK = "x-to-come"
"""In the JSON schema: the field is stored but has no effect yet."""
TO_COME = Field(json_schema_extra={MARK: True})
"""Annotates such a field."""


def idle(clause: Clause, path: Path = ()) -> Iterator[Wrong]:
    """Yield each field of `clause` that is set but has no effect yet."""
    for name in sorted(clause.model_fields_set):
        field, value = type(clause).model_fields[name], getattr(clause, name)
        here = (*path, field.alias or name)
        extra = field.json_schema_extra
        if isinstance(extra, dict) and MARK in extra:
            if value not in (None, {}):
                yield here, "is kept, and does nothing yet"
        elif isinstance(value, Clause):
            yield from idle(value, here)


class PageSchedule(Clause):
    """Page the person who is on call, or the next one."""

    schedule: Name
    who: Literal["on_call", "next"]


class PageTeam(Clause):
    """Page a team's manager, or all its members."""

    team: Name
    who: Literal["manager", "members"]


def _kind(page: object) -> str:
    # Not the name of a key, so that the path of an error distinguishes them.
    written = page if isinstance(page, Mapping) else vars(page)
    return "page of a team" if "team" in written else "page of a schedule"


Page = Annotated[
    Annotated[PageSchedule, Tag("page of a schedule")]
    | Annotated[PageTeam, Tag("page of a team")],
    Discriminator(_kind),
]


class Step(Clause):
    """One step: page somebody at this time after a level was entered."""

    after: Delay
    unless: Literal["accepted"] | None = None
    page: Page
    repeat: Annotated[Count, Field(le=10)] = 1
    """How often this step is tried."""


class Notice(Clause):
    """Informs managers; changes nothing else."""

    on: Annotated[
        tuple[
            Literal[
                "tto_warning", "tto_breach", "ttr_warning", "ttr_breach", "ping_pong"
            ],
            ...,
        ],
        Field(min_length=1),
    ]
    page: Page


class NobodyOnCall(Clause):
    """What to do about a gap in a schedule."""

    page: Page


def _rising(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if any(later.after <= earlier.after for earlier, later in pairwise(steps)):
        raise ValueError("write the steps by rising `after`, each at its own time")
    return steps


class Escalation(Clause):
    """Functional escalation (to other skills) and hierarchical (to more authority)."""

    functional: Annotated[tuple[Step, ...], AfterValidator(_rising)] = ()
    """The steps from the moment an incident enters N2."""
    hierarchical: tuple[Notice, ...] = ()
    nobody_on_call: Annotated[NobodyOnCall | None, TO_COME] = None
    acknowledged_for: Annotated[Duration | None, TO_COME] = None
    """After this time without an update it is un-acknowledged, with a reminder."""
    ping_pong: Annotated[Count, Field(le=100)] = 2
    """Managers are informed at this number of returns to an earlier team in a cycle."""
