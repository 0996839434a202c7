"""What was agreed with a client: services, hours, targets.

The services the desk answers for.

Announced work: signals inside are recorded and open nothing.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.domain.policy.clause import Clause, Name, Person, Texts, derived
from shared.domain.policy.durations import Duration
from shared.domain.policy.local_times import Day, LocalTime, Zone
from shared.domain.policy.priorities import Impact, Priority
from shared.domain.policy.targets import Channel, ReportKind

ALSO_MAX = 100
"""Narrower promises of one contract."""


class When(Clause):
    """Which incidents are meant: all that is said must be so, one of each list."""

    kind: tuple[ReportKind, ...] = ()
    """Who noticed it; as soon as a user reports it, it is the user's."""
    channel: tuple[Channel, ...] = ()
    """On which its first user was in touch."""
    service: tuple[Name, ...] = ()
    priority: tuple[Priority, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any((self.kind, self.channel, self.service, self.priority)):
            raise ValueError("say when: name a kind, channel, service or priority")
        return self

    def means(
        self,
        kind: ReportKind | None,
        channel: Channel | None,
        service: str,
        priority: Priority,
    ) -> bool:
        """Tell whether such an incident is meant."""
        return (
            (not self.kind or kind in self.kind)
            and (not self.channel or channel in self.channel)
            and (not self.service or service in _services(self))
            and (not self.priority or priority in self.priority)
        )


@derived
def _services(when: When) -> frozenset[str]:
    return frozenset(when.service)


class Also(Clause):
    """Targets that a contract promises beside its own, for some of its incidents.

    Of all that are promised the strictest counts: it can only be more.
    """

    when: When
    targets: Name
    from_: Annotated[Day | None, Field(alias="from")] = None
    """First day, local to the calendar; none: as long as the contract."""
    until: Day | None = None
    """Day after the last."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        _require_order(self)
        return self

    def is_in_force(self, day: date) -> bool:
        """Tell whether it counts on a day on which its contract does."""
        return _holds(self, day)


class Contract(Clause):
    """Targets for some services of a client, from a day on."""

    client: Name
    from_: Annotated[Day, Field(alias="from")]
    """First day, local to the calendar."""
    until: Day | None = None
    """Day after the last; none: until further notice."""
    services: Annotated[tuple[Name, ...], Field(min_length=1)]
    calendar: Name
    p1_calendar: Name | None = None
    """Calendar of P1 incidents, where it is another."""
    targets: Name
    also: Annotated[Mapping[Name, Also], Field(max_length=ALSO_MAX)] = {}
    """Narrower promises beside these, by name."""
    may_agree: tuple[Person, ...] = ("reporter",)
    """Who may agree to a longer delay: `reporter`, or people by id."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        _require_order(self)
        return self

    @model_validator(mode="after")
    def _narrows_its_own_services(self) -> Self:
        own = frozenset(self.services)
        for name, also in self.also.items():
            for service in also.when.service:
                if service not in own:
                    raise ValueError(
                        f"`also.{name}` is for `{service}`, which is not among the "
                        "`services` of the contract: add it there, or take it out"
                    )
        return self

    def is_in_force(self, day: date) -> bool:
        """Tell whether it counts on a day."""
        return _holds(self, day)


def is_of(promise: str, contract: str) -> bool:
    """Tell whether a promise, `valmont` or `valmont.phone`, is of a contract."""
    return promise.partition(".")[0] == contract


def _require_order(dated: Also | Contract) -> None:
    if dated.from_ and dated.until and dated.until <= dated.from_:
        raise ValueError("`until` is the day after the last: later than `from`")


def _holds(dated: Also | Contract, day: date) -> bool:
    began = dated.from_ is None or dated.from_ <= day
    return began and (dated.until is None or day < dated.until)


UNKNOWN = "unknown"
"""The service of whatever names none we know: visible, never dropped."""


class Service(Clause):
    """One service of the catalogue."""

    name: Texts
    criticality: Impact
    """The impact of an incident that only monitoring has reported."""
    support: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Teams by rising level, the desk first."""

    def called(self, language: str) -> str | None:
        """Return its name in a language; where it has none there, the first it has.

        People know a service by any of its names, and by its id never.
        """
        return self.name.get(language) or next(iter(self.name.values()), None)


class Maintenance(Clause):
    """A window of announced work on a service, once or by a recurrence rule."""

    service: Name
    start: LocalTime
    duration: Duration
    rrule: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Recurrence as in iCalendar (RFC 5545): `FREQ=MONTHLY;BYDAY=-1MO`."""
    timezone: Zone
