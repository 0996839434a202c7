"""What an answer says that somebody read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import orjson
import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from services.projections.api.answers import rows_of
from services.projections.reads.addresses import (
    WITHOUT_WORDS,
    WORDS,
    WORDS_OF_POSTS,
    Words,
    words_at,
)
from services.projections.reads.rules import Answered, recorded
from shared.reads import Read, Served

AT = datetime(2025, 6, 2, 9, 7, tzinfo=UTC)
QUEUE = WORDS["/v1/queues/{queue}/incidents"]
REFS = st.from_regex(r"(INC|PRB|CHG)-([0-9]{1,3}-)?[0-9]{6,12}", fullmatch=True)


def _answered(
    body: bytes = b"{}",
    query: Mapping[str, str] = MappingProxyType({}),
    media: str = "application/json",
) -> Answered:
    given = {"ref": "INC-000001", "queue": "all", "type": "release", "id": "4"}
    return Answered("person:nadia", "/v1/x", given, query, media, body, ())


def _records(words: Words, answered: Answered) -> list[str]:
    reads, request = recorded(words, answered, AT)
    return list(request.records) if request else [each.record for each in reads]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/incidents/{ref}", Read("person:nadia", "INC-000001", "record", AT)),
        (
            "/v1/incidents/{ref}/timeline",
            Read("person:nadia", "INC-000001", "timeline", AT),
        ),
        ("/v1/records/{type}/{id}", Read("person:nadia", "release/4", "record", AT)),
        ("/v1/queues/{queue}/incidents", Read("person:nadia", "queue:all", "list", AT)),
    ],
)
def test_an_address_says_what_is_read_whatever_the_answer_names(
    path: str, expected: Read
) -> None:
    body = orjson.dumps({"items": [{"ref": "INC-000002"}]})

    assert recorded(WORDS[path], _answered(body), AT) == ([expected], None)


@pytest.mark.parametrize(
    ("query", "each"),
    [
        ({}, False),
        ({"limit": "50"}, False),
        ({"limit": "1"}, False),
        ({"limit": "51"}, True),
        ({"limit": "+500"}, True),
        ({"limit": "500 "}, True),
        ({"limit": "5e2"}, True),
        ({"limit": "٥٠"}, True),
        ({"cursor": "x"}, True),
        ({"after": "0"}, True),
        ({"before": "9"}, True),
        ({"filter": "priority:p1"}, False),
    ],
)
def test_more_of_a_list_than_a_screen_shows_is_noted_record_by_record(
    query: Mapping[str, str], each: bool
) -> None:
    body = orjson.dumps({"items": [{"ref": "INC-000002"}, {"ref": "INC-000003"}]})
    lists = ["queue:all"]

    expected = ["INC-000002", "INC-000003", *lists] if each else lists
    assert _records(QUEUE, _answered(body, query)) == expected


@pytest.mark.parametrize(
    ("words", "media", "query", "served"),
    [
        (QUEUE, "application/json", {"q": "printer"}, "search"),
        (QUEUE, "text/csv; header=present", {}, "export"),
        (QUEUE, "text/csv; header=present", {"q": "printer"}, "export"),
        (QUEUE, "application/jsonl", {}, "export"),
        (WORDS["/v1/incidents/{ref}/timeline"], "text/csv", {}, "export"),
        (WORDS["/v1/search"], "application/json", {"q": "x"}, "search"),
        (WORDS["/v1/log"], "text/csv", {}, "log"),
    ],
)
def test_searches_exports_and_the_log_are_requests(
    words: Words, media: str, query: Mapping[str, str], served: Served
) -> None:
    _, request = recorded(words, _answered(query=query, media=media), AT)

    assert request is not None
    assert (request.reader, request.served, request.address) == (
        "person:nadia",
        served,
        "/v1/x",
    )


def _row(ref: str, number: int) -> dict[str, object]:
    """Return an item as lists have it; others are only referred to."""
    elsewhere = {"merged_into": f"INC-9{number:08d}", "title": "as INC-900000000"}
    match number % 4:
        case 0:
            return {"ref": ref, **elsewhere}
        case 1:
            return {"incident": {"ref": ref, **elsewhere}}
        case 2:
            return {"kind": "incident", "id": ref, **elsewhere}
        case _:
            return {"stream": f"sla-{ref}", **elsewhere}


@given(st.lists(REFS, max_size=8, unique=True), st.sampled_from(["csv", "jsonl"]))
def test_json_and_rows_name_the_same_records(refs: list[str], form: str) -> None:
    rows = [_row(ref, number) for number, ref in enumerate(refs)]
    scope = {"type": "http", "path": "/v1/x", "headers": [], "query_string": b""}
    table = rows_of(Request(scope), form, {}, rows)  # type: ignore[arg-type] # one of both
    media = table.headers["content-type"]
    words = Words("list")

    in_json = _records(words, _answered(orjson.dumps({"items": rows})))
    in_rows = _records(words, _answered(bytes(table.body), media=media))

    assert in_json == in_rows == sorted(refs)


def test_the_same_address_is_not_in_both_tables() -> None:
    assert not WITHOUT_WORDS & WORDS.keys()


def test_the_answer_to_a_command_serves_only_what_a_preview_shows() -> None:
    posted = [each for each in (*WORDS, *WORDS_OF_POSTS) if words_at("POST", each)]

    assert posted == ["/v1/bulk"]
    assert words_at("HEAD", "/v1/search") == words_at("GET", "/v1/search")
