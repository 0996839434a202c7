"""Contracts with clients, the service catalogue, and recurring maintenance windows.

A contract has services, hours and targets. During maintenance, signals are recorded but
open no incidents.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from pydantic import Field, Strict, StringConstraints, model_validator

from shared.domain.policy.clause import Clause, Name, Person, Texts, derived
from shared.domain.policy.durations import Duration
from shared.domain.policy.local_times import Day, LocalTime, Zone
from shared.domain.policy.priorities import Impact, Priority
from shared.domain.policy.targets import Channel, ReportKind

ALSO_MAX = 100
"""Additional target sets of one contract."""


class When(Clause):
    """Selects incidents: all given fields must match, each with one of its values."""

    kind: tuple[ReportKind, ...] = ()
    """Who noticed it; as soon as a user reports it, `user`."""
    channel: tuple[Channel, ...] = ()
    """The channel of its first user's contact."""
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
        """Return whether such an incident is selected."""
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
    """Additional targets of a contract, for some of its incidents.

    Of all applicable targets the strictest counts, so these can only tighten it.
    """

    when: When
    targets: Name
    from_: Annotated[Day | None, Field(alias="from")] = None
    """First day, local to the calendar. Default: that of the contract."""
    until: Day | None = None
    """Day after the last."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        _require_order(self)
        return self

    def is_in_force(self, day: date) -> bool:
        """Return whether it applies on a day on which its contract applies."""
        return _holds(self, day)


class Contract(Clause):
    """Targets for some services of a client, from a day on."""

    client: Name
    from_: Annotated[Day, Field(alias="from")]
    """First day, local to the calendar."""
    until: Day | None = None
    """Day after the last. Default: until further notice."""
    services: Annotated[tuple[Name, ...], Field(min_length=1)]
    calendar: Name
    p1_calendar: Name | None = None
    """Calendar for P1 incidents, if different."""
    targets: Name
    also: Annotated[Mapping[Name, Also], Field(max_length=ALSO_MAX)] = {}
    """Additional targets, by name."""
    may_agree: tuple[Person, ...] = ("reporter",)
    """Who may agree to an extension: `reporter`, or people by id."""

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
        """Return whether it applies on a day."""
        return _holds(self, day)


def is_of(promise: str, contract: str) -> bool:
    """Return whether a target name, `valmont` or `valmont.phone`, is of a contract."""
    return promise.partition(".")[0] == contract


def _require_order(dated: Also | Contract) -> None:
    if dated.from_ and dated.until and dated.until <= dated.from_:
        raise ValueError("`until` is the day after the last: later than `from`")


def _holds(dated: Also | Contract, day: date) -> bool:
    began = dated.from_ is None or dated.from_ <= day
    return began and (dated.until is None or day < dated.until)


UNKNOWN = "unknown"
"""The service of everything without a known service, so that nothing is lost."""


class Service(Clause):
    """One service of the catalogue."""

    name: Texts
    criticality: Impact
    """The impact of an incident that only monitoring has reported."""
    support: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Teams by ascending support level, beginning with the desk."""

    def called(self, language: str) -> str | None:
        """Return its name in a language, or else the first name that it has.

        People know a service by one of its names, never by its id.
        """
        return self.name.get(language) or next(iter(self.name.values()), None)


class Destination(Clause):
    """Where requests that are not incidents are handed: another team, a catalogue."""

    name: Texts
    """What users read."""

    def called(self, language: str) -> str | None:
        """Return its name in a language, or else the first name that it has."""
        return self.name.get(language) or next(iter(self.name.values()), None)


class Maintenance(Clause):
    """A maintenance window of a service, single or with a recurrence rule."""

    service: Name
    start: LocalTime
    duration: Duration
    rrule: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Recurrence as in iCalendar (RFC 5545): `FREQ=MONTHLY;BYDAY=-1MO`."""
    timezone: Zone


REPORT_CONTACTS_MAX = 20
"""The maximum number of contacts who are sent the month report of a client."""


class MonthReports(Clause):
    """The month reports of clients: who approves them, and who is sent them."""

    four_eyes: Annotated[bool, Strict()] = True
    """Whether nobody who wrote a comment of a report may approve it. `false` is for a
    desk with a single manager."""
    contacts: Mapping[
        Name, Annotated[tuple[Person, ...], Field(max_length=REPORT_CONTACTS_MAX)]
    ] = {}
    """Who is sent a link to the published reports of each client, by their ids.
    Default: nobody."""

    def recipients(self, client: str) -> tuple[str, ...]:
        """Return the contacts of a client, each once."""
        return tuple(dict.fromkeys(self.contacts.get(client, ())))
