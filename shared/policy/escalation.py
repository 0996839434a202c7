"""Whom to page when nobody answers, and whom to tell."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from shared.policy.clause import Clause
from shared.policy.counts import Count
from shared.policy.durations import Delay, Duration
from shared.policy.names import Name
from shared.policy.to_come import TO_COME


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
