"""Notices to staff. `service` and `team` are names as the reader knows them.

`url` is the page of the incident.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.i18n.promise_lines import Promise

Trigger = Literal["tto_warning", "tto_breach", "ttr_warning", "ttr_breach", "ping_pong"]

Author = Literal["user", "monitoring", "agent"]
"""Who wrote the title and description of an incident."""

_WHOLE = 100
"""Percent."""


@dataclass(frozen=True)
class Page:
    """A page: asks somebody to accept an incident, and says why it is this person.

    `who` is the person's role, `via` the schedule or the team; `step` counts from 1.
    `after` is the time since the incident reached this level; `again`: it was tried
    before. Without an answer by `answer_by` the next page is sent.
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
    """A promise is at risk or broken, or an incident moves back and forth.

    `at` is the instant of the rule; `detected_at` is set if it was noticed later.
    `overrun` is working time beyond the target. A warning has one of `percent` of the
    target, the working time `left`, or the working time since it was due, `late`.
    `returns` is for `ping_pong`.
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
        """Whether it is a warning about an overdue promise."""
        return self.late is not None or (self.percent or 0) > _WHOLE


@dataclass(frozen=True)
class Handover:
    """To Problem Management: find the cause. The incident remains with the desk.

    `problem` is the one it is part of, `presumed` the one to which it was matched only
    by its service, and `proposed` names several that match. `asks`: it waits for an
    answer; else it is part of `problem` already.
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

    `incident` is the one that exceeded the budget, and `which` names all of them.
    Either `breaches` or `downtime` is given: the budget that was used up. `overrun` is
    the total working time beyond the targets. `problem` is the one of which the service
    is part from now on, `proposed` names several candidates. `asks`: it waits for an
    answer.
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

    `solutions` are notes for N1 on how some of them were or can be solved.
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
    """To the team to which a problem or a change was assigned, with its incidents.

    `record` is its reference, also given as `problem` or as `change` by its kind. `by`
    is who assigned it. `incidents` lists references and titles; `more` is the number of
    further ones that are not listed.
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
    """To the desk: an update to the user is due."""

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
