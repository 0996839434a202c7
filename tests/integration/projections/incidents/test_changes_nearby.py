"""What was changed near an incident in time is shown with it, and who told."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.intake.signals.raw_store import ObservedChange, keep_changes
from services.intake.signals.schemas import Change
from shared.domain.events.incident import IncidentRestored
from tests.support.desks.api import Api
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

REF = "INC-000777"
LINK = {"href": "https://ci.example/72", "text": "Build 72"}


def change(summary: str, at: datetime, service: str = "gates") -> ObservedChange:
    told = Change(summary, at, links=(LINK,))
    return ObservedChange(summary.encode(), "prom", service, at, told)


@pytest.fixture(scope="module")
def shown(shared_api: Api) -> Api:
    head = {"by": "person:paul", "incident": REF, "policy": 1, "whose": "person:paul"}
    back = {**head, "at": START + timedelta(hours=2)}
    shared_api.happened(
        opened(REF, service="gates"), IncidentRestored.model_validate(back)
    )
    changes = [
        change("long before", START - timedelta(hours=25)),
        change("just before", START - timedelta(minutes=5)),
        change("rolled back", START + timedelta(hours=2)),
        change("long after", START + timedelta(hours=4)),
        change("elsewhere", START, service="mail"),
    ]
    log = shared_api.log
    log.vault.prepare("source:prom")
    with log.transaction() as cursor:
        keep_changes(cursor, log.vault, changes)
    return shared_api


def near(api: Api, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/v1/incidents/{REF}", **asked)[
        "changes_nearby"
    ]
    return found


def test_changes_of_its_service_near_in_time_are_shown_with_who_told(
    shown: Api,
) -> None:
    found = near(shown)

    assert [each["summary"] for each in found] == ["rolled back", "just before"]
    assert found[1]["source"] == "prom"
    assert found[1]["links"] == [LINK]
    assert datetime.fromisoformat(found[1]["at"]) == START - timedelta(minutes=5)
