"""The policy document and the questions that rules ask it; frozen, with fast look-ups.

Also here: its JSON schema for editors, the difference between two documents, and the
people that a policy names.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue

from shared.domain.events.notification import Channel
from shared.domain.policy.calendars import Calendar
from shared.domain.policy.clause import Clause, Name
from shared.domain.policy.contracts import (
    UNKNOWN,
    Contract,
    Destination,
    Maintenance,
    MonthReports,
    Service,
)
from shared.domain.policy.escalation import (
    Escalation,
    Problems,
)
from shared.domain.policy.mappings import Enrichment
from shared.domain.policy.priorities import (
    ByUrgency,
    Impact,
    Priorities,
    Priority,
    Severity,
    Urgency,
)
from shared.domain.policy.reviews import Reviews
from shared.domain.policy.schedules import Schedule
from shared.domain.policy.sources import (
    HEARTBEATS_MAX,
    LABELS,
    Heartbeat,
    Monitor,
    Source,
)
from shared.domain.policy.surveys import Survey
from shared.domain.policy.targets import TargetSet
from shared.domain.policy.teams import (
    AnswerTemplate,
    ChannelRule,
    Desk,
    Team,
    TeamChannel,
    with_limits_that_apply,
)
from shared.mistake import Path

ENRICHMENT_MAX = 200
TEMPLATES_MAX = 200
URGENCY: Mapping[Severity, Urgency] = {
    "critical": "high",
    "error": "high",
    "warning": "medium",
    "info": "low",
}
"""The urgency of a severity, unless its source defines another."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What a signal is about, and its priority."""

    service: str
    impact: Impact
    urgency: Urgency
    priority: Priority


def _with_unknown(services: Mapping[str, Service]) -> Mapping[str, Service]:
    if UNKNOWN not in services:
        raise ValueError(
            f"add a service `{UNKNOWN}`: what names no service we know opens there"
        )
    return services


class Policy(Clause):
    """The targets the desk has promised, to whom, and who is responsible."""

    version: Literal[1]
    """The version of the document format; the log numbers the policies."""
    desk: Desk
    calendars: Mapping[Name, Calendar] = {}
    """Coverage calendars by name."""
    priorities: Priorities
    categories: tuple[Name, ...] = ()
    """The categories of incidents."""
    targets: Mapping[Name, TargetSet] = {}
    """Sets of targets by name, for contracts."""
    services: Annotated[Mapping[Name, Service], AfterValidator(_with_unknown)]
    """The catalogue by name; `unknown` is for everything without a known service."""
    destinations: Mapping[Name, Destination] = {}
    """Where requests that are not incidents are handed, by the name in `redirect`."""
    contracts: Mapping[Name, Contract] = {}
    """By name. No contract, no clock; of several, the strictest target applies."""
    teams: Annotated[Mapping[Name, Team], Field(min_length=1)]
    schedules: Mapping[Name, Schedule] = {}
    """On-call schedules by name."""
    escalation: Escalation = Escalation()
    channels: Annotated[
        Mapping[Channel, ChannelRule], AfterValidator(with_limits_that_apply)
    ] = {}
    """Channels by which people are paged, by name."""
    problems: Problems | None = None
    sources: Mapping[Name, Source] = {}
    """By the name in `desk.signal.<name>`, which is also that of the source's key."""
    enrichment: Annotated[tuple[Enrichment, ...], Field(max_length=ENRICHMENT_MAX)] = ()
    """Adds information to signals; each row sees the result of the earlier rows."""
    heartbeats: Annotated[
        Mapping[Name, Heartbeat], Field(max_length=HEARTBEATS_MAX)
    ] = {}
    """By the name in `POST /v1/heartbeats/<name>`."""
    maintenance: Mapping[Name, Maintenance] = {}
    answer_templates: Annotated[
        Mapping[Name, AnswerTemplate], Field(max_length=TEMPLATES_MAX)
    ] = {}
    """Texts that agents send often, by name."""
    surveys: Mapping[Name, Survey] = {}
    month_reports: MonthReports | None = None
    reviews: Reviews | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, JsonValue]) -> Self:
        """Return the policy of an applied document, perhaps from a newer program.

        Fields unknown to this program are ignored: they cannot matter to it.
        """
        return cls.model_validate(document, extra="ignore")

    def document(self) -> dict[str, Any]:
        """Return the policy as plain JSON, in its one canonical form."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def has_olas(self) -> bool:
        """Whether there is an OLA for any support level."""
        return any(targets.ola for targets in self.targets.values())

    def contract(self, name: str) -> Contract:
        """Return a contract with the targets for a target name.

        `valmont` means the targets of the contract valmont, `valmont.phone` its
        additional targets of that name. Raises KeyError for an unknown name.
        """
        own, _, also = name.partition(".")
        contract = self.contracts[own]
        if not also:
            return contract
        return contract.model_copy(update={"targets": contract.also[also].targets})

    def priority(self, impact: Impact, urgency: Urgency) -> Priority:
        """Return the priority that the matrix gives."""
        row: ByUrgency = getattr(self.priorities, impact)
        given: Priority = getattr(row, urgency)
        return given

    def service_known_as(self, name: str | None) -> str:
        """Return `name` if the catalogue has such a service, else `unknown`."""
        return name if name and name in self.services else UNKNOWN

    def service(self, name: str | None) -> Service:
        """Return the service with that name, or the service `unknown`."""
        return self.services[self.service_known_as(name)]

    def urgency(self, source_name: str, severity: Severity) -> Urgency:
        """Return the urgency of a severity from this source."""
        match self.sources.get(source_name):
            case Monitor(urgency=own):
                return own.get(severity, URGENCY[severity])
            case _:
                return URGENCY[severity]

    def for_signal(
        self,
        source_name: str,
        service_name: str | None,
        severity: Severity,
        labels: Mapping[str, str] | None = None,
    ) -> Classification:
        """Return the classification of a signal.

        The service is the one it names, else the one configured for its source (a fixed
        one, or the one in a label), else `unknown`.
        """
        service = self.service_of(source_name, service_name, labels or {})
        impact = self.services[service].criticality
        urgency = self.urgency(source_name, severity)
        return Classification(service, impact, urgency, self.priority(impact, urgency))

    def service_of(
        self, source_name: str, named: str | None, labels: Mapping[str, str]
    ) -> str:
        """Return the service that a signal is about; `unknown` if it names none."""
        if named and named in self.services:
            return named
        match self.sources.get(source_name):
            case Monitor(service=str(setting)) if setting.startswith(LABELS):
                return self.service_known_as(labels.get(setting.removeprefix(LABELS)))
            case Monitor(service=setting):
                return self.service_known_as(setting)
            case _:
                return UNKNOWN

    def monitor(self, source_name: str) -> Monitor | None:
        """Return the entry of a monitoring system, or None if it has none."""
        source = self.sources.get(source_name)
        return source if isinstance(source, Monitor) else None

    def team_channel(self, name: str) -> TeamChannel | None:
        """Return the channel of a team by its name, which no other team uses."""
        found = (team.channels.get(name) for team in self.teams.values())
        return next((each for each in found if each is not None), None)

    @property
    def team_of_first_contact(self) -> str:
        """The team that owns every incident."""
        return self.desk.team

    @property
    def reopen_within(self) -> timedelta:
        """How long after closing an incident may be reopened."""
        return self.desk.reopen_within

    @property
    def close_after(self) -> timedelta:
        """How long a resolved incident waits for its user."""
        return self.desk.close_after

    @property
    def recovery_resolves(self) -> Literal["unreported", "never", "always"]:
        """Which incidents a recovery resolves, besides restoring the service."""
        return self.desk.recovery.resolves

    def may_override(self, roles: Collection[str]) -> bool:
        """Return whether these roles permit setting a priority by hand."""
        return not set(self.priorities.override.roles).isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is added, removed or changed; None if absent."""

    path: Path
    kind: Literal["added", "removed", "changed"]
    before: JsonValue
    after: JsonValue


def difference(
    before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]
) -> list[Change]:
    """Return the changes from `before` to `after`, in the order of paths.

    Lists of equal length are compared element by element, others as a whole.
    """
    return list(_mappings((), before, after))


def _mappings(
    path: Path, before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]
) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        here = (*path, key)
        if key not in after:
            yield Change(here, "removed", before[key], None)
        elif key not in before:
            yield Change(here, "added", None, after[key])
        else:
            yield from _values(here, before[key], after[key])


def _values(path: Path, before: JsonValue, after: JsonValue) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _mappings(path, before, after)
    elif (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
    ):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _values((*path, place), old, new)
    elif before != after:
        yield Change(path, "changed", before, after)


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of `permanence.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Policy.model_json_schema(),
        "title": "permanence.yaml",
    }


def unskilled(
    policy: Policy, team: str, service: str, people: Iterable[str]
) -> tuple[str, ...] | None:
    """Return the people without the skill for a service, or None if all have it.

    A team that lists nobody for the service needs no skill for it; its manager never
    does.
    """
    found = policy.teams.get(team)
    if found is None or service not in found.skills:
        return None
    able = {*found.skills[service], found.manager}
    return tuple(each for each in people if each not in able) or None


REPORTER = "reporter"
"""May agree without being named: the incident's own user."""


def people_named(policy: Policy) -> dict[str, Path]:
    """Return each person's id with the first place that names them."""
    named: dict[str, Path] = {}
    for path, person in _everywhere(policy):
        named.setdefault(person, path)
    return named


def _everywhere(policy: Policy) -> Iterator[tuple[Path, str]]:
    for name, team in policy.teams.items():
        for place, member in enumerate(team.members):
            yield ("teams", name, "members", place), member
        yield ("teams", name, "manager"), team.manager
    for place, person in enumerate(policy.desk.payroll):
        yield ("desk", "payroll", place), person
    for name, contract in policy.contracts.items():
        for place, person in enumerate(contract.may_agree):
            if person != REPORTER:
                yield ("contracts", name, "may_agree", place), person
    for name, survey in policy.surveys.items():
        yield ("surveys", name, "owner"), survey.owner
    reviewer = policy.reviews.owner if policy.reviews else None
    yield from ((("reviews", "owner"), each) for each in (reviewer,) if each)
