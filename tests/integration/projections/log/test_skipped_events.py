"""After an administrator had its owner skip an event, its stream goes on without it."""

import pytest

from services.projections.api.session_cookie import COOKIE
from shared.eventlog.readers.position import Bookmark
from tests.integration.projections.log.test_unreadable_streams import (
    PART,
    PARTS,
    unreadable_events,
)
from tests.support.builders.promise_events import armed, told
from tests.support.desks.api import Api
from tests.support.faults.later_version import record_skipped, write_unknown
from tests.support.patience import until
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

REF = "INC-000001"


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    return shared_api


@pytest.fixture(scope="module")
def skipped(api: Api) -> int:
    """Have an impossible event skipped, then a promise met; return its position."""
    api.happened(opened(REF), armed(REF, "tto", 40))
    wrong = api.happened(told("sla.met", REF, target="ttr", met_at=START))
    api.happened(told("sla.met", REF, target="tto", met_at=START))
    with api.log.transaction() as cursor:
        record_skipped(cursor, Bookmark("sla", "sla_watcher"), (f"sla-{REF}", wrong))
    return wrong


@pytest.mark.parametrize("part", PARTS)
def test_what_its_owner_skipped_is_named_and_what_came_after_it_counts(
    api: Api, skipped: int, part: str
) -> None:
    answer = api.get(f"/v1/incidents/{REF}{part}")

    (named,) = answer["unreadable"]
    assert {name: named[name] for name in ("position", "later", "skipped")} == {
        "position": skipped,
        "later": 0,
        "skipped": True,
    }


@pytest.mark.usefixtures("skipped")
def test_a_promise_is_what_its_owner_decided_without_what_it_skipped(api: Api) -> None:
    promises = api.get(f"/v1/incidents/{REF}")["promises"]

    assert [each["state"] for each in promises] == ["met"]


def test_what_was_skipped_is_no_longer_an_alarm(api: Api) -> None:
    ref = "INC-000002"
    before = unreadable_events(api)
    wrong = api.happened(opened(ref), told("sla.met", ref, target="ttr", met_at=START))
    api.get(f"/v1/incidents/{ref}")
    until(lambda: unreadable_events(api) == before + 1, "the metric counts it")
    with api.log.transaction() as cursor:
        record_skipped(cursor, Bookmark("sla", "sla_watcher"), (f"sla-{ref}", wrong))

    api.get(f"/v1/incidents/{ref}")

    until(lambda: unreadable_events(api) == before, "the metric does not")


def test_a_list_goes_on_without_what_the_owner_of_a_stream_skipped(api: Api) -> None:
    ref = "INC-000003"
    asked = told("handover.requested", ref, **PART, breached_at=START)
    head = api.happened(opened(ref), asked)
    stream = f"handover-{ref}"
    write_unknown(api.log, stream)
    with api.log.transaction() as cursor:
        record_skipped(cursor, Bookmark("escalation", "escalation"), (stream, head + 1))

    items = api.get("/v1/handovers?limit=100")["items"]

    assert ref in {each["incident"] for each in items}


def test_its_page_says_what_was_skipped(api: Api, skipped: int) -> None:
    cookie = {"Cookie": f"{COOKIE}={api.tokens['agent']}"}
    api.get(f"/v1/incidents/{REF}/timeline", min_position=skipped)

    page = api.call("GET", f"/incidents/{REF}", None, cookie).text

    assert "An administrator had these events skipped" in page
    assert f"Position {skipped}, <code>sla.met</code>, sla-{REF}" in page
