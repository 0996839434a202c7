"""Labels, details, links, host and runbook of the alert that opened an incident."""

from typing import Any

import orjson
import pytest

from services.projections.history.alert import (
    DETAILS_MAX,
    LINKS_MAX,
    Alert,
    AlertLink,
    alert,
    leads_to_web,
)
from tests.support.strategies.histories import opened

GRAPH = "https://graphs.example.org/d/1?host=db1"
WIKI = "https://wiki.example.org/disk-full"


def said(labels: dict[str, str] | None = None, **details: Any) -> Alert:
    told = orjson.dumps(details).decode() if details else None
    return alert(opened("INC-000001", labels=labels, details=told))


def test_details_of_a_field_are_named_with_a_dot_between() -> None:
    told = said(annotations={"summary": "full", "empty": ""}, value=96, tags=["a"])

    assert told.details == {
        "annotations.summary": "full",
        "value": "96",
        "tags": '["a"]',
    }


def test_in_our_own_format_details_are_apart_from_links() -> None:
    told = said(details={"value": 96}, links=[WIKI])

    assert (told.details, told.links) == ({"value": "96"}, (AlertLink(WIKI, WIKI),))
    assert said(details="plain").details == {"details": "plain"}


def test_the_listed_links_come_first_then_whatever_is_an_address() -> None:
    told = said(
        {"dashboard": GRAPH},
        links=[{"href": WIKI, "text": "Wiki"}, GRAPH, {"text": "nowhere"}, 7],
        again=WIKI,
        prose=f"see {GRAPH}/2",
    )

    assert told.links == (AlertLink(WIKI, "Wiki"), AlertLink(GRAPH, GRAPH))


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://x",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org/x",
        "/local",
        "https://",
        "https:\\\\example.org",
        "http://exa mple.org",
        "https://example.org/\nx",
        "http://[::1",
        f"https://example.org/{'x' * 2_000}",
    ],
)
def test_only_what_a_browser_opens_by_http_is_a_link(address: str) -> None:
    told = said({"runs": address}, links=[{"href": address, "text": "x"}, address])

    assert not leads_to_web(address)
    assert told.links == ()
    assert told.labels == {"runs": address}


def test_the_host_is_the_plainest_name_of_it() -> None:
    labels = {"instance": "db1:9100", "hostname": "db1.example.org"}

    assert said(labels).host == "db1.example.org"
    assert said(host="web1").host == "web1"
    assert said().host is None


def test_a_runbook_is_no_link_beside_and_may_be_a_text() -> None:
    told = said({"x": WIKI}, annotations={"runbook_url": WIKI})

    assert (told.runbook, told.links) == (WIKI, ())
    assert said({"runbook": "RB-17"}).runbook == "RB-17"


@pytest.mark.parametrize("details", ["plain text", "[1]", '{"cut": "… (cut', "7", None])
def test_what_is_no_object_has_no_details(details: str | None) -> None:
    assert alert(opened("INC-000001", details=details)) == Alert()


def test_what_is_forgotten_says_nothing() -> None:
    assert alert(opened("INC-000001", details="[forgotten]", labels={})) == Alert()


def test_there_is_a_limit_to_what_is_shown() -> None:
    many: dict[str, Any] = {
        f"n{n}": f"https://example.org/{n}" for n in range(DETAILS_MAX + 9)
    }

    told = said(None, **many)

    assert len(told.details) == DETAILS_MAX
    assert len(told.links) == LINKS_MAX
    assert told.links[0].text == "n0"


def test_fields_within_fields_end_somewhere() -> None:
    deep: dict[str, Any] = {"bottom": 1}
    for _ in range(90):
        deep = {"in": deep}

    assert list(said(top=deep).details) == ["top.in.in.in"]
