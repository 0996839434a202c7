"""Teams, and the settings of the desk: also templates for answers.

People are named by their ids; names and addresses are in the directory, and contact
details are rejected, since a policy is kept for ever.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from shared.domain.contact_methods.values import ROOM
from shared.domain.events.notification import Channel
from shared.domain.policy.clause import Clause, Count, Language, Name, Person, Texts
from shared.domain.policy.durations import Duration
from shared.domain.policy.escalation import Applies
from shared.domain.policy.local_times import Zone
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel


class EscalationChoice(Clause):
    """An escalation policy of a team, for some of its incidents."""

    policy: Name
    """Of `escalation.policies`."""
    services: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Only incidents of these services. Default: all."""
    priorities: Applies | None = None
    """Only incidents of these priorities. Default: all."""

    def is_for(self, service: str, priority: Priority) -> bool:
        """Return whether it is for incidents of a service and a priority."""
        services, priorities = self.services, self.priorities
        return (services is None or service in services) and (
            priorities is None or priority in priorities
        )


def _form(written: object) -> str:
    is_list = isinstance(written, list | tuple)
    return "several policies" if is_list else "one policy"


CHOICES_MAX = 50
Choice = Annotated[
    Annotated[Name, Tag("one policy")]
    | Annotated[
        tuple[EscalationChoice, ...],
        Field(min_length=1, max_length=CHOICES_MAX),
        Tag("several policies"),
    ],
    Discriminator(_form),
]


_ROOMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "mattermost": (
        re.compile(r"[a-z0-9]{26}"),
        "the id of the channel, 26 letters and digits under *View info*",
    ),
    "matrix": (ROOM, "the id of the room, such as `!abc:example.org`"),
    "slack": (
        re.compile(r"[CG][A-Z0-9]{2,20}"),
        "the id of the channel, such as `C0123ABCD`",
    ),
}
"""What rooms are called by providers that give them an id, which is not a secret."""
TEAM_CHANNELS_MAX = 20


class TeamChannel(Clause):
    """A room or topic that a team reads together, such as `#ops-apps`.

    A step of a policy pages it by its name.
    """

    channel: Literal["mattermost", "matrix", "slack", "ntfy", "apprise"]
    to: Annotated[str, StringConstraints(max_length=260)] | None = None
    """The id of the room, for Mattermost, Matrix and Slack. A topic of ntfy and a URL
    of Apprise are secrets: they are in the setting `PERMANENCE_TEAM_CHANNELS`, by the
    name of the channel."""

    @model_validator(mode="after")
    def _has_its_address(self) -> Self:
        pattern, form = _ROOMS.get(self.channel, (None, ""))
        if pattern is None and self.to is not None:
            raise ValueError(
                "a policy is kept for ever, and this address is a secret: take `to` "
                "out, and put it into PERMANENCE_TEAM_CHANNELS"
            )
        if pattern is not None and not pattern.fullmatch(self.to or ""):
            raise ValueError(f"write in `to` {form}")
        return self


class Team(Clause):
    """People who work together, and the manager to inform if they cannot help."""

    level: SupportLevel | None = None
    """Support level. Default: a team that incidents are not escalated to."""
    members: Annotated[tuple[Person, ...], Field(min_length=1)]
    manager: Person
    skills: Mapping[Name, tuple[Person, ...]] = {}
    """Who knows a service, unless all do; others are flagged, but never refused."""
    takes: tuple[Literal["incident", "problem", "change"], ...] = ("incident",)
    """The kinds of records that may be assigned to this team."""
    schedule: Name | None = None
    """The team's on-call schedule, which steps page that name neither another schedule
    nor a team."""
    escalation: Choice | None = None
    """The team's own escalation policy, of `escalation.policies`, or a list of them by
    service and priority: the first that matches applies. Default, also without a match:
    the steps of `escalation.functional`."""
    channels: Annotated[
        Mapping[Name, TeamChannel], Field(max_length=TEAM_CHANNELS_MAX)
    ] = {}
    """Rooms that the team reads, by a name of their own: `page: {channel: …}` of any
    step sends to one."""

    def escalation_for(self, service: str, priority: Priority) -> str | None:
        """Return the name of the escalation policy for an incident, if it has one."""
        if isinstance(self.escalation, tuple):
            found = (each for each in self.escalation if each.is_for(service, priority))
            return next((each.policy for each in found), None)
        return self.escalation


LIMITS_MAX = 6
"""Limits of one channel."""
_A_DAY = timedelta(days=1)


def _a_day_at_most(within: timedelta) -> timedelta:
    if within > _A_DAY:
        raise ValueError("write 24h at most: a page of yesterday does not count")
    return within


class ChannelLimit(Clause):
    """At most so many pages to one contact method within some time."""

    messages: Annotated[Count, Field(le=1_000)]
    within: Annotated[Duration, AfterValidator(_a_day_at_most)]
    spread: bool = False
    """Whether what this limit allows beyond the limit before it is spread evenly over
    the time, and not sent as soon as possible."""


class ChannelRule(Clause):
    """How a channel is used by which people are paged."""

    internal: bool = False
    """Whether messages stay inside your organisation. Others go to an outside provider,
    with the minimum only: reference, service, priority and titles of monitoring."""
    limits: Annotated[tuple[ChannelLimit, ...], Field(max_length=LIMITS_MAX)] | None = (
        None
    )
    """How many pages leave to one contact method of a person; more wait and leave as
    one message. From the shortest time to the longest. Default: 1 in 1m, 5 in 15m, 11
    in 1h and 21 in 3h for SMS; 1 in 1m, 3 in 15m, 7 in 1h and 15 in 3h for calls; 5 in
    5s for chat and push. `[]` for no limit. Mail has none."""

    @field_validator("limits")
    @classmethod
    def _grow(
        cls, limits: tuple[ChannelLimit, ...] | None
    ) -> tuple[ChannelLimit, ...] | None:
        for shorter, longer in pairwise(limits or ()):
            if shorter.within >= longer.within or shorter.messages >= longer.messages:
                raise ValueError(
                    "write the limits from the shortest time to the longest, each with "
                    "more messages than the one before"
                )
        return limits


def _default_limits(*rest: tuple[int, int, bool]) -> tuple[ChannelLimit, ...]:
    """Return one message a minute, then so many within so many minutes."""
    rows = ((1, 1, False), *rest)
    return tuple(
        ChannelLimit(messages=messages, within=f"{minutes}m", spread=spread)
        for messages, minutes, spread in rows
    )


# The numbers of GoAlert (engine/message/ratelimit.go): they were found on real phones.
_SMS = _default_limits((5, 15, False), (11, 60, True), (21, 180, True))
_VOICE = _default_limits((3, 15, False), (7, 60, True), (15, 180, True))
_OTHERS = (ChannelLimit(messages=5, within="5s"),)
UNLIMITED: tuple[Channel, ...] = ("mail", "webhook")
"""Channels that wake nobody, or that belong to the desk."""


def with_limits_that_apply(
    channels: Mapping[Channel, ChannelRule],
) -> Mapping[Channel, ChannelRule]:
    """Return the rules of channels. ValueError for limits that would have no effect."""
    idle = [name for name in UNLIMITED if name in channels and channels[name].limits]
    if idle:
        raise ValueError(
            f"`{idle[0]}` has no limits: pages wait for push, chat, SMS and calls only"
        )
    return channels


def limits_of(
    channels: Mapping[Channel, ChannelRule], name: Channel
) -> tuple[ChannelLimit, ...]:
    """Return the limits of a channel: those of the policy, or else the defaults."""
    rule = channels.get(name)
    if name in UNLIMITED:
        return ()
    if rule is not None and rule.limits is not None:
        return rule.limits
    match name:
        case "sms":
            return _SMS
        case "voice":
            return _VOICE
        case _:
            return _OTHERS


_EMAIL = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?<![\w-])(?:"
    r"(?:\+|00)[1-9](?:[ .()-]{0,2}\d){6,13}"  # international: +33 1 23 45 67 89
    r"|0\d(?:[ .-]?\d{2}){4}"  # French: 01 23 45 67 89
    r"|\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}"  # North American: (514) 555-0123
    r")(?!\w)"
)


def contact_detail_in(text: str) -> str | None:
    """Return the kind of contact detail in `text`, or None."""
    if _EMAIL.search(text):
        return "an e-mail address"
    return "a telephone number" if _PHONE.search(text) else None


PLACES = ("reference", "name", "due")
"""What a template for answers may contain in braces."""


def _require_places(text: str) -> str:
    try:
        found = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError("a brace is not closed: write {{ for a brace alone") from error
    if unknown := sorted(found - {*PLACES}):
        known = ", ".join(f"{{{place}}}" for place in PLACES)
        raise ValueError(f"there is no place {{{unknown[0]}}}: use {known}")
    return text


_TemplateText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4_000),
    AfterValidator(_require_places),
]


class AnswerTemplate(Clause):
    """A text that agents send often, to be completed: `{title: …, text: …}`.

    `{reference}`, `{name}` and `{due}` are replaced: the incident, the user's name, and
    when it is to be resolved. A brace alone is written `{{`.
    """

    title: Texts
    """What agents choose it by, by language."""
    text: Annotated[Mapping[Language, _TemplateText], Field(min_length=1)]
    """By language; users get it in their own."""


def _day(written: str) -> str:
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError as wrong:
        raise ValueError("write a day such as 2025-06-30") from wrong


Day = Annotated[str, AfterValidator(_day), Field(examples=["2025-06-30"])]


QueueOrder = Literal["working_time_left", "priority", "reported_at"]


class Recovery(Clause):
    """The effect of a recovery on the incident that a source opened."""

    restores: Literal["always"] = "always"
    """A recovery always restores the service."""
    resolves: Literal["unreported", "never", "always"] = "unreported"
    """Resolves incidents that no person reported, no incidents, or all."""


class Desk(Clause):
    """The single point of contact."""

    team: Name
    """The team that owns every incident from the first contact until it is closed."""
    timezone: Zone
    """The zone of reports; users see their own."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    """The languages for users; the first applies to users without a language."""
    close_after: Duration
    """How long a resolved incident waits for its user before it is closed."""
    reopen_within: Duration
    """Later than that after closing, a new, linked incident is opened instead."""
    calendar: Name | None = None
    """The calendar for these two without a contract. Default: wall-clock time."""
    replies_reopen: Literal["closed", "resolved", "never"] = "closed"
    """Which incidents a user's reply reopens: `closed` ones, since a reply there would
    not be noticed; also `resolved` ones; or none (`never`)."""
    reply_tags_since: Day | None = None
    """Replies to mails sent before this day (UTC) do not verify their sender. Default:
    replies to any mail do."""
    queue_order: QueueOrder = "working_time_left"
    """The default order of open incidents: breached ones first and then by least
    working time left; by priority, each sorted in that way; or oldest first. Resolved
    ones that await their closure are always last."""
    recovery: Recovery = Recovery()
    payroll: Annotated[tuple[Person, ...], Field(max_length=20)] = ()
    """Who may read everybody's hours of standby and intervention. Default: only
    administrators."""
    nats_monitor: Literal["accepted", "refused"] = "accepted"
    """Whether signals of the NATS user `monitor` are accepted. It may name any source:
    refuse it once each source connects with its own key."""
