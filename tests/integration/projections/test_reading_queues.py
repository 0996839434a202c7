"""Queues over HTTP: order, filters, counts, one's own write."""

import pytest

from tests.support.api import Api
from tests.support.histories import opened

pytestmark = pytest.mark.servers


def test_an_incident_is_in_the_queue_as_soon_as_its_position_is_known(api: Api) -> None:
    position = api.happened(opened("INC-000001"))

    page = api.get("/v1/queues/all/incidents", min_position=position)

    assert [item["ref"] for item in page["items"]] == ["INC-000001"]
    assert page["items"][0]["title"] == "Printer on fire"
    assert page["counts"] == {"open": 1, "status": {"new": 1}, "priority": {"p3": 1}}
    assert page["as_of"]["position"] == position
    assert page["next_cursor"] is None
