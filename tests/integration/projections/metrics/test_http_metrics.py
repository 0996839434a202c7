"""The API counts its answers by route: no reference and no key becomes a label."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.desks.api import Api
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers


def counted(api: Api) -> set[tuple[str, str, str]]:
    """Return method, route and status of what was counted."""
    text = api.call("GET", "/metrics", who=None).text
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"])
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.name == "permanence_http_requests_total"
    }


def test_each_answer_is_counted_under_its_route(api: Api) -> None:
    position = api.happened(opened("INC-000001"))
    asked = {"min_position": str(position)}
    read = api.call("GET", "/v1/incidents/INC-000001", params=asked)
    api.call("GET", "/v1/incidents/INC-000002")
    api.call("GET", "/v1/queues/all/incidents", who=None)
    api.call("POST", "/v1/integrations/alertmanager/pmn_key", who=None)
    api.call("GET", "/nothing/here", who=None)

    found = {each for each in counted(api) if each[1].startswith("/v1/")}

    assert read.status_code == 200
    assert found == {
        ("GET", "/v1/incidents/{ref}", "200"),
        ("GET", "/v1/incidents/{ref}", "404"),
        ("GET", "/v1/queues/{queue}/incidents", "401"),
        ("POST", "/v1/integrations/{type}/{key:path}", "503"),
    }
    assert ("GET", "nowhere", "404") in counted(api)
