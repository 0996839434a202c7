"""The shapes that doors answer with, where the code has no class for them."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.intake.inbound_mail.store import Verdict
from services.intake.policy.windows import Announced, Recurring
from services.intake.signals.outcomes import SuppressedSignal
from services.intake.signals.schemas import Result
from services.intake.source_api.explain_endpoints import Decision
from shared.domain.policy.priorities import Severity
from shared.messaging.commands import Done


class Answer(BaseModel):
    """Fields are those it says and no others."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Taken(Answer):
    """The result for each element, all of it committed."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[Result]
    duplicate: Literal[True] = True
    """Only where its one element was known."""


class Window(Answer):
    """What a source did in the last hour, or the last day."""

    accepted: int
    duplicates: int
    rejected: int
    quarantined: int
    refused: int
    unauthorised: int
    error_rate: float | None


class KeyView(Answer):
    """A key of a source, without anything secret."""

    id: str
    label: str | None
    state: Literal["living", "revoked", "expired"]
    created_at: AwareDatetime | None
    last_used: AwareDatetime | None


class Limit(Answer):
    """What is left of a limit, in the process that answers."""

    kind: Literal["rate", "quota"]
    limit: int
    remaining: int
    reset_seconds: int


class SourceView(Answer):
    """What a source did lately, with which keys; `type` null: no policy names it."""

    name: str
    type: str | None
    last_seen: AwareDatetime | None
    last_hour: Window
    last_day: Window
    keys: list[KeyView]
    signed: bool
    allow_from: list[str]
    limits: list[Limit]


class Sources(Answer):
    """All sources, by name."""

    items: list[SourceView]
    left_off: int


class HeartbeatView(Answer):
    """How a heartbeat stands."""

    name: str
    state: str
    every: str
    grace: str
    service: str | None
    severity: Severity
    calendar: str | None
    source: str | None
    beats: int
    last_beat_at: AwareDatetime | None
    expected_by: AwareDatetime | None
    silent_since: AwareDatetime | None


class Heartbeats(Answer):
    """All heartbeats of the policy."""

    items: list[HeartbeatView]


class Beaten(Answer):
    """A beat was heard."""

    name: str
    heard_at: AwareDatetime | None
    expected_by: AwareDatetime | None
    recovered: bool


class SuppressedPage(Answer):
    """Suppressed signals, the newest first."""

    items: list[SuppressedSignal]
    next_cursor: int | None


class Decisions(Answer):
    """The state of the alert of a key at each source that has it."""

    items: list[Decision]


class PutAnswer(Answer):
    """Whether something was new of the record, and its version."""

    outcome: Literal["recorded", "already"]
    record: str
    version: int
    positions: list[int]


class Maintenance(Answer):
    """Announced work, the newest first."""

    items: list[Announced]
    recurring: list[Recurring]
    """The present or next occurrence of each window of the policy."""


class MaintenanceAnswer(Answer):
    """The result of an announcement, and the window as it is now."""

    outcome: Done
    positions: list[int]
    window: str
    service: str
    start: AwareDatetime
    until: AwareDatetime
    reason: str
    by: str
    announced_at: AwareDatetime
    cancelled_at: AwareDatetime | None


class MailTaken(Answer):
    """The result for a mail."""

    verdict: Verdict
    repeated: bool
    incident: str | None
    person: str | None
    known: bool | None
    note: str | None
    letter: str


class PagerDutyAnswer(Answer):
    """As PagerDuty answers."""

    status: Literal["success"]
    message: str
    dedup_key: str = ""
    """Of an event that has one."""


class OpsgenieAnswer(Answer):
    """As Opsgenie answers."""

    result: str
    took: float
    requestId: str  # noqa: N815 # as Opsgenie writes it


class OpsgenieStatus(Answer):
    """The result of a request, in the form of Opsgenie."""

    data: dict[str, Any]
    took: float
    requestId: str  # noqa: N815 # as Opsgenie writes it


class AlertaAnswer(Answer):
    """As Alerta answers."""

    status: Literal["ok"]
    id: str
    message: str | None = None
    alert: dict[str, Any] = {}
    result: Result | None = None
