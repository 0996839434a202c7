"""What staff are told. `service` and `team` are names as the reader knows them.

`url` is where the incident is shown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.i18n.promise_lines import Promise

Trigger = Literal["tto_warning", "tto_breach", "ttr_warning", "ttr_breach", "ping_pong"]

Author = Literal["user", "monitoring", "agent"]
"""Who wrote the words of an incident that staff read first."""

_WHOLE = 100
"""Percent."""


@dataclass(frozen=True)
class Page:
    """You are asked to take an incident on, and why it is you.

    `who` says as what, `via` names the schedule or the team; `step` counts from 1.
    `after` is how long after the incident came to this level; `again`: it was tried
    before. Without an answer by `answer_by` the next page goes out.
    """

    incident: str
    title: str
    priority: Priority
    service: str
    level: SupportLevel
    who: Literal["on_call", "next", "manager", "members"]
    via: str
    step: int
    policy: int
    words: str = ""
    promises: tuple[Promise, ...] = ()
    after: timedelta | None = None
    again: bool = False
    nobody_on_call: bool = False
    url: str = ""
    answer_by: datetime | None = None
    author: Author = "user"


@dataclass(frozen=True)
class ManagerNotice:
    """A promise is in danger or broken, or an incident goes to and fro.

    `at` is the instant of the rule; `detected_at` is given where we noticed later.
    `overrun` is working time beyond the target. Of a warning, one of `percent` of the
    target, the working time `left`, or that since it was due, `late`, says which it is.
    `returns`: for `ping_pong`.
    """

    incident: str
    title: str
    trigger: Trigger
    at: datetime
    priority: Priority
    service: str
    team: str = ""
    percent: int | None = None
    left: timedelta | None = None
    late: timedelta | None = None
    due_at: datetime | None = None
    overrun: timedelta | None = None
    returns: int | None = None
    detected_at: datetime | None = None
    url: str = ""

    @property
    def is_late(self) -> bool:
        """Whether it warns of what is due already."""
        return self.late is not None or (self.percent or 0) > _WHOLE


@dataclass(frozen=True)
class Handover:
    """To Problem Management: find the cause. The incident stays with the desk.

    `problem` is the one it is part of, `presumed` the one it joined by its service
    alone, and `proposed` names several that match. `asks`: it waits for an answer.
    """

    incident: str
    title: str
    priority: Priority
    service: str
    breached_at: datetime
    overrun: timedelta | None = None
    problem: str = ""
    presumed: str = ""
    proposed: str = ""
    asks: bool = True
    words: str = ""
    answer_by: datetime | None = None
    url: str = ""
    author: Author = "user"


@dataclass(frozen=True)
class ServiceHandover:
    """To Problem Management: a service broke its promises too often, or was down.

    `incident` is the one that was one too many, and `which` names all of them. Of
    `breaches` and `downtime` one is given: what used its budget up.
    `overrun` is working time beyond what was promised, together; `problem` is what the
    service is part of from now on, `proposed` names several that it may be part of.
    `asks`: it waits for an answer.
    """

    incident: str
    service: str
    breaches: int | None
    within_days: int
    crossed_at: datetime
    which: str
    downtime: timedelta | None = None
    overrun: timedelta | None = None
    problem: str = ""
    proposed: str = ""
    asks: bool = False
    answer_by: datetime | None = None
    url: str = ""


@dataclass(frozen=True)
class Suggestion:
    """To Problem Management: incidents of one kind, `which`, may have one cause.

    `solutions` are notes of how N1 solved some of them, or could.
    """

    incident: str
    title: str
    service: str
    within_days: int
    which: str
    url: str = ""
    solutions: str = ""


@dataclass(frozen=True)
class Routed:
    """To the team that got a problem or a change, with the incidents behind it.

    `record` is its reference, also given as `problem` or as `change`: what it is.
    Somebody, `by`, gave it to them. `incidents` lists references and titles; the desk
    knows of `more` that are not listed.
    """

    record: str
    title: str
    service: str
    team: str
    by: str
    incidents: str
    more: int | None = None
    problem: str = ""
    change: str = ""


@dataclass(frozen=True)
class UpdateDue:
    """To the desk: the user has not heard from us for as long as we promised."""

    incident: str
    title: str
    priority: Priority
    service: str
    promised: timedelta
    due_at: datetime
    last_told_at: datetime | None = None
    url: str = ""


StaffNotice = (
    Page | ManagerNotice | Handover | ServiceHandover | Routed | Suggestion | UpdateDue
)
