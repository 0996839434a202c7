"""Whom to page when nobody answers, and whom to tell.

When incidents are handed over to Problem Management, or a problem suggested.

Fields that a policy may have already, though nothing acts on them yet.
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
    """What of one service may add up before the service is handed over.

    Give `breaches`, `overrun`, `downtime` or several; what is used up first hands it
    over. What was counted once is not counted again.
    """

    breaches: Count | None = None
    """With so many broken promises it is used up."""
    overrun: Duration | None = None
    """With more working time than that beyond what was promised, all together."""
    downtime: Duration | None = None
    """With more time than that, in the hours its contract covers, in which a P1 of it
    was recorded and not restored. What was down twice at once counts once."""
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
        """How long before the last of them the first may have been."""
        return timedelta(days=self.within_days)


class Recurrence(Clause):
    """So many incidents of one signature in so many days suggest a problem."""

    same_signature: Annotated[Count, Field(ge=2)]
    within_days: Days


class Problems(Clause):
    """Hand-over to Problem Management; the incident stays with the desk."""

    team: Name = "problem"
    handover_on: tuple[Literal["ttr_breach"], ...] = ("ttr_breach",)
    service: BreachBudget | None = None
    accept_within: Duration | None = None
    """Longer unanswered, a hand-over is shown as such."""
    suggest: Recurrence | None = None


MARK = "x-to-come"
"""In the JSON schema: the field is kept, and does nothing yet."""
TO_COME = Field(json_schema_extra={MARK: True})
"""Annotates such a field."""


def idle(clause: Clause, path: Path = ()) -> Iterator[Wrong]:
    """Give each field of `clause` that was set and does nothing yet."""
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
    """Page who is on call, or who comes next."""

    schedule: Name
    who: Literal["on_call", "next"]


class PageTeam(Clause):
    """Page a team's manager, or all of it."""

    team: Name
    who: Literal["manager", "members"]


def _kind(page: object) -> str:
    # Not the name of a key: a mistake's path must tell them apart.
    written = page if isinstance(page, Mapping) else vars(page)
    return "page of a team" if "team" in written else "page of a schedule"


Page = Annotated[
    Annotated[PageSchedule, Tag("page of a schedule")]
    | Annotated[PageTeam, Tag("page of a team")],
    Discriminator(_kind),
]


class Step(Clause):
    """One rung: so long after a level was entered, page somebody."""

    after: Delay
    unless: Literal["accepted"] | None = None
    page: Page
    repeat: Annotated[Count, Field(le=10)] = 1
    """How often this rung is tried before nobody is left to page."""


class Notice(Clause):
    """Tells managers and moves nothing."""

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
    """What to do with a gap in a schedule."""

    page: Page


def _rising(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if any(later.after <= earlier.after for earlier, later in pairwise(steps)):
        raise ValueError("write the steps by rising `after`, each at its own time")
    return steps


class Escalation(Clause):
    """Functional (to other skills) and hierarchical (to more authority)."""

    functional: Annotated[tuple[Step, ...], AfterValidator(_rising)] = ()
    """From the moment an incident enters N2."""
    hierarchical: tuple[Notice, ...] = ()
    nobody_on_call: Annotated[NobodyOnCall | None, TO_COME] = None
    acknowledged_for: Annotated[Duration | None, TO_COME] = None
    """After so long without news, an incident is un-acknowledged with a reminder."""
    ping_pong: Annotated[Count, Field(le=100)] = 2
    """At how many returns to a team that had it in this cycle managers are told."""
