"""A desk of 5,000 services and 5,000 closed days: applied, an incident, its clocks."""

from datetime import UTC, datetime

import orjson
import pytest

from services.intake.partitions import turn_partitions
from services.intake.policy.store import Policies
from services.intake.records.store import RecordCache
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Delivery
from services.intake.signals.store import Receiver
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import incident_ref, incident_stream
from shared.eventlog.log import EventLog
from shared.vault.master_keys import MasterKeys
from tests.support.builders.large_policies import large_text
from tests.support.desks.watching import SlaDesk, sla_desk
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

THOUSANDS = 5_000
ON_A_CLOSED_DAY = datetime(2025, 7, 1, 9, tzinfo=UTC)
NEXT_DAY = datetime(2025, 7, 2, tzinfo=UTC)
SIGNAL = {
    "action": "trigger",
    "dedup_key": "disk",
    "title": "Disk full",
    "severity": "critical",
    "service": "service-04999",
}


def _opened(desk: SlaDesk) -> IncidentOpened:
    """Let intake take a signal; return what it made of it."""
    body = orjson.dumps(SIGNAL)
    heard = ADAPTERS["native"](SIGNAL, InboundDocument("demo", desk.now))
    delivery = Delivery("demo", "native", body, 0, tuple(heard), desk.now, told=True)
    log = EventLog.open(
        desk.database.dsn("desk_intake"),
        master=MasterKeys((bytes(32),)),
        clock=desk.clock,
    )
    turn_partitions(log.transaction, desk.now.date())
    Receiver(log, RecordCache(log), Policies(log), desk.clock).flush([delivery])
    event = log.history(incident_stream(incident_ref(1)))[0].event
    log.close()
    assert isinstance(event, IncidentOpened)
    return event


def test_thousands_of_services_and_closed_days_are_applied_and_promised(
    database: Database,
) -> None:
    text = large_text(THOUSANDS, THOUSANDS)
    with sla_desk(database, ON_A_CLOSED_DAY, text) as desk:
        applied = desk.log.history(STREAM)[0].event
        opened = _opened(desk)
        desk.read()
        due = {
            words["target"]: words["due_at"]
            for _, type_, words in desk.said()
            if type_ == "sla.armed"
        }
    assert isinstance(applied, PolicyApplied)
    assert applied.document_size > 10 * 65_536
    assert (opened.service, opened.priority) == ("service-04999", "p2")
    # Open from 8 to 18 in Paris, but for half an hour from 8, 10, 12 and 14 on.
    assert due == {
        "tto": NEXT_DAY.replace(hour=6, minute=50),
        "ttr": NEXT_DAY.replace(hour=13),
    }
