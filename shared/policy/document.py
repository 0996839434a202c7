"""The whole document, and what rules ask of it. Frozen; every answer is a look-up."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue

from shared.policy.calendars import Calendar
from shared.policy.clause import Clause
from shared.policy.contracts import Contract
from shared.policy.desk import Desk
from shared.policy.enrichment import Enrichment
from shared.policy.escalation import Escalation
from shared.policy.heartbeats import HEARTBEATS_MAX, Heartbeat
from shared.policy.maintenance import Maintenance
from shared.policy.names import Name
from shared.policy.priorities import ByUrgency, Priorities
from shared.policy.problems import Problems
from shared.policy.scales import Impact, Priority, Severity, Urgency
from shared.policy.schedules import Schedule
from shared.policy.services import UNKNOWN, Service
from shared.policy.sources import LABELS, Monitor, Source
from shared.policy.surveys import Survey
from shared.policy.targets import TargetSet
from shared.policy.teams import Team
from shared.policy.to_come import TO_COME

ENRICHMENT_MAX = 200
URGENCY: Mapping[Severity, Urgency] = {
    "critical": "high",
    "error": "high",
    "warning": "medium",
    "info": "low",
}
"""What a severity means where its source says nothing else."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What a signal is about and how urgent that makes it."""

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
    """What the desk has promised, to whom, and who answers."""

    version: Literal[1]
    """Of the form of this document; policies are numbered by the log."""
    desk: Desk
    calendars: Mapping[Name, Calendar] = {}
    """Coverage calendars by name."""
    priorities: Priorities
    categories: tuple[Name, ...] = ()
    """What an incident may be about, beside its service."""
    targets: Mapping[Name, TargetSet] = {}
    """Sets of targets by name, for contracts."""
    services: Annotated[Mapping[Name, Service], AfterValidator(_with_unknown)]
    """The catalogue by name; `unknown` takes what names none of the others."""
    contracts: Mapping[Name, Contract] = {}
    """By name. No contract, no clock; of several, the strictest target wins."""
    teams: Annotated[Mapping[Name, Team], Field(min_length=1)]
    schedules: Mapping[Name, Schedule] = {}
    """On-call schedules by name."""
    escalation: Escalation = Escalation()
    problems: Problems | None = None
    sources: Mapping[Name, Source] = {}
    """By the name in `desk.signal.<name>` and of the source's key."""
    enrichment: Annotated[tuple[Enrichment, ...], Field(max_length=ENRICHMENT_MAX)] = ()
    """What is known of signals beside what they say; each row sees the ones before."""
    heartbeats: Annotated[
        Mapping[Name, Heartbeat], Field(max_length=HEARTBEATS_MAX)
    ] = {}
    """By the name in `POST /v1/heartbeats/<name>`."""
    maintenance: Mapping[Name, Maintenance] = {}
    surveys: Annotated[Mapping[Name, Survey], TO_COME] = {}

    @classmethod
    def from_document(cls, document: Mapping[str, JsonValue]) -> Self:
        """Return the policy of a document that was applied, perhaps by a newer program.

        Fields this program does not know are left out: they cannot matter to it.
        """
        return cls.model_validate(document, extra="ignore")

    def document(self) -> dict[str, Any]:
        """Return the policy as plain JSON, in its one canonical form."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def has_olas(self) -> bool:
        """Whether anything is agreed with support levels."""
        return any(targets.ola for targets in self.targets.values())

    def contract(self, name: str) -> Contract:
        """Return a contract, with the targets of the promise that `name` is of it.

        `valmont` is what contract valmont promises, `valmont.phone` what it promises
        also, under that name. KeyError for an unknown one.
        """
        own, _, also = name.partition(".")
        contract = self.contracts[own]
        if not also:
            return contract
        return contract.model_copy(update={"targets": contract.also[also].targets})

    def priority(self, impact: Impact, urgency: Urgency) -> Priority:
        """Return what the matrix gives."""
        row: ByUrgency = getattr(self.priorities, impact)
        given: Priority = getattr(row, urgency)
        return given

    def service_known_as(self, name: str | None) -> str:
        """Return `name` if the catalogue has such a service, else `unknown`."""
        return name if name and name in self.services else UNKNOWN

    def service(self, name: str | None) -> Service:
        """Return the service of that name, or the one called `unknown`."""
        return self.services[self.service_known_as(name)]

    def urgency(self, source_name: str, severity: Severity) -> Urgency:
        """Return what a severity means when this source says it."""
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
        """Return how a signal is classified.

        The service is the one it names, else the one its source is set to (a fixed
        one, or the one in the label the policy says), else `unknown`.
        """
        service = self.service_of(source_name, service_name, labels or {})
        impact = self.services[service].criticality
        urgency = self.urgency(source_name, severity)
        return Classification(service, impact, urgency, self.priority(impact, urgency))

    def service_of(
        self, source_name: str, named: str | None, labels: Mapping[str, str]
    ) -> str:
        """Return the service a signal is about; `unknown` where it tells none."""
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
        """Return what is said of a monitoring system, None where nothing is."""
        source = self.sources.get(source_name)
        return source if isinstance(source, Monitor) else None

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
        """Which incidents a recovery signal resolves, beside restoring the service."""
        return self.desk.recovery.resolves

    def may_override(self, roles: Collection[str]) -> bool:
        """Tell whether somebody with these roles may set a priority by hand."""
        return not set(self.priorities.override.roles).isdisjoint(roles)
