"""A log of June 2025 that tests write event by event, each at its own instant."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.intake.policy import store as policy_store
from services.intake.policy.store import Signature
from shared.domain.events import EVENT_TYPES
from shared.domain.identifiers import absences_stream, on_call_stream
from shared.domain.policy.document import Policy
from shared.eventlog.log import EventLog
from tests.support.desks.api import MASTER, Api
from tests.support.policies import FULL
from tests.support.servers.servers import Database
from tests.support.strategies.histories import opened


def june(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return an instant of June 2025, in UTC."""
    return datetime(2025, 6, day, hour, minute, tzinfo=UTC)


ONE, TWO, THREE = "INC-000001", "INC-000002", "INC-000003"
HOUR = 3_600
REOPENED = {"cycle": 2, "cause": "user"}
_PROMISED = {
    "target": "ttr",
    "cycle": 1,
    "contract": "ville",
    "candidates": ("ville",),
    "calendar": "lisbonne",  # 08:00Z to 17:00Z in June, Monday to Friday
    "seconds": 8 * HOUR,
    "paused_by": ("user",),
}


@dataclass
class June:
    """Records events at the instants a test says, later ones later."""

    database: Database
    now: datetime = datetime(2025, 6, 1, tzinfo=UTC)
    position: int = 0
    log: EventLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = EventLog.open(
            self.database.owner_dsn,
            master=MASTER,
            clock=lambda: self.now,
            pool_size=2,
        )

    def applied(self, text: str = FULL) -> Policy:
        """Put a policy in force."""
        signed = Signature(by="ghislaine", reason="first one", approved_by="direction")
        done = policy_store.apply(self.log, text, signed, self.now)
        assert isinstance(done, policy_store.Applied), done
        self.position = self.log.head().position
        return done.policy

    def opens(self, at: datetime, ref: str, **given: Any) -> None:
        """Record that an incident was opened; the report is of the same instant."""
        event = opened(ref, at=at, **{"reported_at": at, **given})
        self._record(at, f"incident-{ref}", event)

    def says(self, at: datetime, type_: str, ref: str, **given: Any) -> None:
        """Record what happened to an incident, a problem or a change."""
        kind = type_.partition(".")[0]
        record = kind if kind in {"problem", "change"} else "incident"
        head = {"at": at, "by": "person:paul", "whose": "person:paul", "policy": 1}
        event = EVENT_TYPES[type_].model_validate({**head, record: ref, **given})
        self._record(at, f"{kind}-{ref}", event)

    def changes(self, at: datetime, type_: str, **given: Any) -> None:
        """Record what people changed of a schedule, or of a person's absences."""
        event = EVENT_TYPES[type_].model_validate({"at": at, **given})
        named = given.get("schedule")
        stream = on_call_stream(named) if named else absences_stream(given["person"])
        self._record(at, stream, event)

    def surveys(self, at: datetime, type_: str, stream: str, **given: Any) -> None:
        """Record an event of a survey, in its stream."""
        event = {"at": at, "by": "system:intake", **given}
        self._record(at, stream, EVENT_TYPES[type_].model_validate(event))

    def _record(self, at: datetime, stream: str, event: Any) -> None:
        self.now = at
        before = self.log.head_version(stream)
        (entry,) = self.log.record(stream, before, [event])
        assert entry.recorded_at == at
        self.position = entry.position


def promise(month: June, ref: str, day: int, hour: int) -> None:
    """Record that TTR was promised, in the hours of a contract that pauses stop."""
    at = june(day, hour)
    due = {"started_at": at, "due_at": june(day + 1, hour)}
    month.says(at, "sla.armed", ref, **{**_PROMISED, **due})


def asked(api: Api, month: June, **given: Any) -> dict[str, Any]:
    """Return the metrics of June, or of what is given."""
    period = {"from": "2025-06-01", "to": "2025-07-01"}
    return api.get("/v1/metrics", min_position=month.position, **{**period, **given})


def figures(api: Api, month: June, **given: Any) -> dict[str, Any]:
    """Return the numbers of the whole period."""
    found: dict[str, Any] = asked(api, month, **given)["figures"]
    return found
