"""Notices to staff. `service` and `team` are names as the reader knows them.

`url` is the page of the incident.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.i18n.user_notices import Promise

Trigger = Literal["tto_warning", "tto_breach", "ttr_warning", "ttr_breach", "ping_pong"]

PageTarget = Literal[
    "on_call", "next", "previous", "manager", "members", "person", "channel"
]
"""Whom a page asks for, as the events have it."""

Author = Literal["user", "monitoring", "agent"]
"""Who wrote the title and description of an incident."""

_WHOLE = 100
"""Percent."""


@dataclass(frozen=True)
class Page:
    """A page: asks somebody to accept an incident, and says why it is this person.

    `who` is the person's role, `via` the schedule or the team; `step` counts from 1.
    `after` is the time since the incident reached this level; `again`: it was tried
    before. Without an answer by `answer_by` the next page is sent. `by_reply`: a reply
    to the message is an answer. `since`: when somebody who is on call as `role` took
    over; `rules` is the team's escalation policy, if it has one.
    """

    template: ClassVar = "staff/page"

    incident: str
    title: str
    priority: Priority
    service: str
    level: SupportLevel
    who: PageTarget
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
    by_reply: bool = False
    role: str = ""
    since: datetime | None = None
    rules: str = ""


@dataclass(frozen=True)
class TakenByColleague:
    """To those who were paged: somebody else has taken the incident."""

    template: ClassVar = "staff/taken_by_colleague"

    incident: str
    title: str
    priority: Priority
    service: str
    url: str = ""


@dataclass(frozen=True)
class AcknowledgementReminder:
    """To the one who took an incident on: without an update this lapses."""

    template: ClassVar = "staff/acknowledgement_reminder"

    incident: str
    title: str
    priority: Priority
    service: str
    lapses_at: datetime
    url: str = ""


@dataclass(frozen=True)
class Exhausted:
    """To the manager of a team: nobody accepted an incident, and all were paged.

    It is the `number`th time that they are told; the next one is at `next_at`.
    """

    template: ClassVar = "staff/exhausted"

    incident: str
    title: str
    priority: Priority
    service: str
    level: SupportLevel
    team: str
    number: int
    next_at: datetime
    url: str = ""


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
    def template(self) -> str:
        """The trigger's; a warning about an overdue promise has one of its own."""
        is_late = self.late is not None or (self.percent or 0) > _WHOLE
        if is_late and self.trigger.endswith("_warning"):
            return f"staff/{self.trigger.removesuffix('_warning')}_late"
        return f"staff/{self.trigger}"


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

    @property
    def template(self) -> str:
        """One of its own if nobody has to answer."""
        return "staff/handover" if self.asks else "staff/handover_joined"


@dataclass(frozen=True)
class ServiceHandover:
    """To Problem Management: a service broke its promises too often, or was down.

    `incident` is the one that exceeded the budget, and `which` names all of them.
    Either `breaches` or `downtime` is given: the budget that was used up. `overrun` is
    the total working time beyond the targets. `problem` is the one of which the service
    is part from now on, `proposed` names several candidates. `asks`: it waits for an
    answer.
    """

    template: ClassVar = "staff/service_handover"

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

    template: ClassVar = "staff/suggestion"

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

    template: ClassVar = "staff/routed"

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

    template: ClassVar = "staff/update_due"

    incident: str
    title: str
    priority: Priority
    service: str
    promised: timedelta
    due_at: datetime
    last_told_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True)
class Reminder:
    """To the person who asked to be reminded of the incident, with their own note."""

    template: ClassVar = "staff/reminder"

    incident: str
    title: str
    priority: Priority
    service: str
    due_at: datetime
    note: str = ""
    url: str = ""


@dataclass(frozen=True)
class PageInBrief:
    """A page to an address that nobody has verified: no words of anybody."""

    template: ClassVar = "staff/page_in_brief"

    incident: str
    priority: Priority
    service: str
    url: str = ""


@dataclass(frozen=True)
class Unreachable:
    """To a manager: `person` was paged and has no verified contact method.

    Without a name it is the manager themselves.
    """

    template: ClassVar = "staff/unreachable"

    incident: str
    person: str
    priority: Priority
    service: str
    url: str = ""


@dataclass(frozen=True)
class NobodyNotified:
    """To a manager: all messages of a page failed."""

    template: ClassVar = "staff/nobody_notified"

    incident: str
    priority: Priority
    service: str
    level: SupportLevel
    url: str = ""


StaffNotice = (
    Page
    | TakenByColleague
    | AcknowledgementReminder
    | Exhausted
    | PageInBrief
    | Unreachable
    | NobodyNotified
    | Exhausted
    | ManagerNotice
    | Handover
    | ServiceHandover
    | Routed
    | Suggestion
    | UpdateDue
    | Reminder
)
