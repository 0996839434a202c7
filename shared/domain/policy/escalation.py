"""Escalation policies, and the hand-over to Problem Management.

Also marks fields that a policy may contain although they have no effect yet.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from shared.domain.policy.calendars import WeeklyHours
from shared.domain.policy.clause import Clause, Count, Days, Name, Person
from shared.domain.policy.durations import NEVER, Delay, Duration, Patience
from shared.domain.policy.priorities import Priority
from shared.domain.policy.schedules import Role
from shared.domain.policy.targets import SupportLevel
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
        elif isinstance(value, Mapping):
            for key, part in value.items():
                if isinstance(part, Clause):
                    yield from idle(part, (*here, key))


class PageSchedule(Clause):
    """Page the people who are on call, the next ones, or the previous ones."""

    schedule: Name | None = None
    """Default: the schedule of the team that has the incident; if it has none, all
    members of the team are paged."""
    who: Literal["on_call", "next", "previous"]
    role: Role = "primary"
    """Page those who are on call as this."""
    round_robin: bool = False
    """Page one of them only, by turns: each escalation pages the next one."""


class PageTeam(Clause):
    """Page a team's manager, or all its members."""

    team: Name | None = None
    """Default: the team that has the incident."""
    who: Literal["manager", "members"]
    round_robin: bool = False
    """Page one member only, by turns: each escalation pages the next one."""


class PagePerson(Clause):
    """Page one person, on call or not."""

    person: Person


DESK_RECEIVER = "webhook"
"""The name of the desk's own receiver of pages, beside the channels of teams."""


class PageChannel(Clause):
    """Send it to a channel, and to no person."""

    channel: Name
    """The name of a channel under `channels` of a team; or `webhook`, the receiver of
    pages of the whole desk."""

    @property
    def is_of_team(self) -> bool:
        """Whether it is a channel of a team."""
        return self.channel != DESK_RECEIVER


def _kind(page: object) -> str:
    # Not the name of a key, so that the path of an error distinguishes them.
    written = page if isinstance(page, Mapping) else vars(page)
    for key in ("person", "channel"):
        if key in written:
            return f"page of a {key}"
    if "schedule" not in written and written.get("who") in ("manager", "members"):
        return "page of a team"
    return "page of a team" if "team" in written else "page of a schedule"


Page = Annotated[
    Annotated[PageSchedule, Tag("page of a schedule")]
    | Annotated[PageTeam, Tag("page of a team")]
    | Annotated[PagePerson, Tag("page of a person")]
    | Annotated[PageChannel, Tag("page of a channel")],
    Discriminator(_kind),
]


def _of_all(page: Page) -> Page:
    if isinstance(page, PageSchedule | PageTeam) and page.round_robin:
        raise ValueError("only the steps of a policy page by turns: leave it out here")
    if isinstance(page, PageChannel) and page.is_of_team:
        raise ValueError("only the steps of a policy page the channel of a team")
    return page


PageOfAll = Annotated[Page, AfterValidator(_of_all)]
"""A target outside the steps: people, or the receiver of the desk."""
PAGES_MAX = 10


def _number(written: object) -> str:
    several = isinstance(written, list | tuple)
    return "several pages" if several else "one page"


Pages = Annotated[
    Annotated[Page, Tag("one page")]
    | Annotated[
        tuple[Page, ...],
        Field(min_length=1, max_length=PAGES_MAX),
        Tag("several pages"),
    ],
    Discriminator(_number),
]
"""One target, or a list of targets that are paged at the same time."""
Applies = Annotated[tuple[Priority, ...], Field(min_length=1, max_length=4)]


class Step(Clause):
    """One step: page somebody at this time after a level was entered.

    Conditions are checked when the step is due; if one is false, nobody is paged by it.
    """

    after: Delay
    unless: Literal["accepted", "acknowledged", "resolved"] | None = None
    """Not paged any more once somebody at the level accepted the incident, once anybody
    acknowledged it, or only once it is resolved. Default: `resolved`, or restored."""
    priorities: Applies | None = None
    """Only for incidents of these priorities. If one is raised to them, the time counts
    from then. Default: all."""
    hours: WeeklyHours | None = None
    """Page only people for whom it is within these hours, each in their own time zone.
    Default: always."""
    page: Pages
    repeat: Annotated[Count, Field(le=10)] = 1
    """How often this step is tried."""
    acknowledgements: Annotated[Count, Field(le=10)] = 1
    """How many people have to accept the incident before the step is done. With more
    than one, the step ends with the last of them, and who has accepted is not paged by
    it again; leave `unless` out, or write `unless: accepted`."""
    answer_within: Duration | None = None
    """How long there is to answer before the step is tried again, and after the last
    try. Default: the time between it and the step before."""
    quiet: bool | None = None
    """Send only a mail, also to a person on call: it is not to wake anybody."""

    @model_validator(mode="after")
    def _counts_acceptances(self) -> Self:
        if self.acknowledgements > 1 and self.unless not in (None, "accepted"):
            raise ValueError(
                "`acknowledgements` counts the people who accept: leave `unless` out, "
                "or write `unless: accepted`"
            )
        return self

    @property
    def pages(self) -> tuple[Page, ...]:
        """The targets, also if there is only one."""
        return self.page if isinstance(self.page, tuple) else (self.page,)

    def is_for(self, priority: Priority) -> bool:
        """Return whether the step is for incidents of a priority."""
        return self.priorities is None or priority in self.priorities


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
    page: PageOfAll


class NobodyOnCall(Clause):
    """Whom to page instead if a step pages a schedule in a gap."""

    page: PageOfAll


PRIORITIES: tuple[Priority, ...] = ("p1", "p2", "p3", "p4")


def _rising(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    for priority in PRIORITIES:
        of_one = [step.after for step in steps if step.is_for(priority)]
        if any(later <= earlier for earlier, later in pairwise(of_one)):
            raise ValueError("write the steps by rising `after`, each at its own time")
    return steps


Steps = Annotated[tuple[Step, ...], AfterValidator(_rising)]
POLICIES_MAX = 1_000
TRIES_MAX = 100
"""How often the steps of one policy may page in all."""


class EscalationPolicy(Clause):
    """Steps of a team, and how often and how far they go."""

    steps: Annotated[Steps, Field(min_length=1)]
    repeat: Annotated[Count, Field(le=10)] = 1
    """How often all steps are gone through; again after the last has had its time."""
    when_nobody: NobodyOnCall | Literal["hold"] | None = None
    """In a gap of a schedule: page somebody else, or `hold` the step, and those after
    it, until somebody is on call. Default: `nobody_on_call`."""


def _form(written: object) -> str:
    is_list = isinstance(written, list | tuple)
    return "list of steps" if is_list else "escalation policy"


NamedPolicy = Annotated[
    Annotated[Steps, Tag("list of steps")]
    | Annotated[EscalationPolicy, Tag("escalation policy")],
    Discriminator(_form),
]


class Lapse(Clause):
    """After what time without an update something lapses, by priority."""

    p1: Patience = NEVER
    p2: Patience = NEVER
    p3: Patience = NEVER
    p4: Patience = NEVER


def _lapse_form(written: object) -> str:
    is_by_priority = isinstance(written, Mapping | Lapse)
    return "by priority" if is_by_priority else "one time"


LapsesAfter = Annotated[
    Annotated[Patience, Tag("one time")] | Annotated[Lapse, Tag("by priority")],
    Discriminator(_lapse_form),
]
ACKNOWLEDGED_FOR = Lapse.model_validate(
    {"p1": "30m", "p2": "4h", "p3": "4h", "p4": "4h"}
)
"""The default of a policy that is applied from now on."""
_WAKING: tuple[Priority, Priority] = ("p1", "p2")
"""Priorities whose acceptance lapses by default: the others may wait for the morning.
"""


class Escalation(Clause):
    """Functional escalation (to other skills) and hierarchical (to more authority)."""

    functional: Steps = ()
    """The steps from the moment an incident enters N2, for teams without their own."""
    policies: Annotated[Mapping[Name, NamedPolicy], Field(max_length=POLICIES_MAX)] = {}
    """Escalation policies of teams by name, at the level of the team: a list of steps,
    or `steps` with more about them."""
    hierarchical: tuple[Notice, ...] = ()
    nobody_on_call: NobodyOnCall | None = None
    """In a gap of a schedule. Default: the manager of the team that has the incident.
    """
    acknowledged_for: LapsesAfter | None = None
    """After this time without an update an acknowledgement above N1 lapses, and the
    steps begin again; who acknowledged is reminded before. One time, or by priority.
    Default: 30 minutes for P1 and 4 hours for others."""
    accepted_for: LapsesAfter | None = None
    """After this time without an update an acceptance lapses likewise. Default: as an
    acknowledgement for P1 and P2, and never for others."""
    exhausted_every: Duration | None = None
    """If nobody is left to page, the manager of the team is told, and again after this
    time until somebody accepts. It doubles, up to an hour for P1 and P2 and up to a day
    for others, which are told by mail only; after a day at the latest it is a day.
    Default: 15 minutes for P1 and P2, an hour for others."""
    ping_pong: Annotated[Count, Field(le=100)] = 2
    """Managers are informed at this number of returns to an earlier team in a cycle."""

    def with_defaults(self) -> Self:
        """Return it as it is applied: complete, so that later defaults do not matter.

        What an applied document leaves out was left out before there was a default, and
        means never.
        """
        acknowledged = self.acknowledged_for or ACKNOWLEDGED_FOR
        p1, p2 = (_time_of(acknowledged, each) for each in _WAKING)
        accepted = self.accepted_for or Lapse().model_copy(update={"p1": p1, "p2": p2})
        complete = {"acknowledged_for": acknowledged, "accepted_for": accepted}
        return self.model_copy(update=complete)

    def acknowledgement_lapses_after(self, priority: Priority) -> timedelta | None:
        """Return after what time an acknowledgement lapses, None for never."""
        return _lapse_of(self.acknowledged_for, priority)

    def acceptance_lapses_after(self, priority: Priority) -> timedelta | None:
        """Return after what time an acceptance lapses, None for never."""
        return _lapse_of(self.accepted_for, priority)

    def steps_of(self, named: str | None, level: SupportLevel) -> tuple[Step, ...]:
        """Return the steps of a named policy; without a name, the shared ones.

        The shared steps are for n2 only, and a named policy for the level of its team.
        """
        if named is None:
            return self.functional if level == "n2" else ()
        own = self.policies.get(named, ())
        return own.steps if isinstance(own, EscalationPolicy) else own


def _time_of(
    written: timedelta | Literal["never"] | Lapse, priority: Priority
) -> timedelta | Literal["never"]:
    return getattr(written, priority) if isinstance(written, Lapse) else written


def _lapse_of(
    written: timedelta | Literal["never"] | Lapse | None, priority: Priority
) -> timedelta | None:
    time = None if written is None else _time_of(written, priority)
    return time if isinstance(time, timedelta) else None


def too_many_pages(escalation: Escalation) -> Iterator[Wrong]:
    """Yield the policies that page too often before they come to an end.

    Not checked when an applied policy is read back: earlier versions allowed more.
    """
    for plan in plans(escalation):
        tries = plan.repeat * sum(step.repeat for step in plan.steps)
        if tries > TRIES_MAX:
            yield (
                plan.path,
                f"{tries} pages in all, at most {TRIES_MAX}: lower a `repeat`",
            )


class Plan(NamedTuple):
    """The steps of a policy, where they are written, and how often they repeat."""

    path: Path
    steps_path: Path
    steps: tuple[Step, ...]
    repeat: int = 1

    @property
    def name(self) -> str | None:
        """The name of the policy; None for the shared steps."""
        return None if len(self.path) == len(_SHARED) else str(self.path[-1])


_SHARED = ("escalation", "functional")


def plans(escalation: Escalation) -> Iterator[Plan]:
    """Yield the shared steps, then those of each policy."""
    yield Plan(_SHARED, _SHARED, escalation.functional)
    for name, own in escalation.policies.items():
        path = ("escalation", "policies", name)
        if isinstance(own, EscalationPolicy):
            yield Plan(path, (*path, "steps"), own.steps, own.repeat)
        else:
            yield Plan(path, path, own)
