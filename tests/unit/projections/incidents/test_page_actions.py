"""A form of a page becomes the body of a command, and is shown again when refused."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest
from starlette.requests import Request

from services.projections.web.actions import (
    Action,
    Expired,
    Field,
    act,
    body_of,
    refused_draft,
)
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.csrf import token_for
from services.projections.web.incident.actions import (
    ASSIGN_TO_ME,
    TAKE_ON,
    TAKE_OVER,
    Choices,
    acknowledging,
    adapted,
    as_sent,
    offered,
)

RESOLVE = Action(
    "resolve",
    (Field("note", "words"), Field("cause_removed", "flag"), Field("solution")),
)
REQUEST = Request(
    {"type": "http", "scheme": "http", "path": "/", "headers": [(b"cookie", b"")]}
)
SENT = {"csrf": "old", "key": "k-1", "version": "4", "note": "Done.\r\n"}


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ({}, {}),
        ({"note": " \r\n", "solution": "  "}, {}),
        ({"note": "One.\r\nTwo. "}, {"note": "One.\nTwo. "}),
        ({"solution": " INC-000001 "}, {"solution": "INC-000001"}),
        ({"cause_removed": "yes"}, {"cause_removed": True}),
        ({"key": "k", "csrf": "c", "version": "3", "force": "yes"}, {}),
    ],
)
def test_a_body_has_the_fields_of_its_form_that_are_filled(
    form: dict[str, str], body: dict[str, object]
) -> None:
    assert body_of(RESOLVE, form) == body


@pytest.mark.parametrize(
    ("error", "same_key", "conflict"),
    [
        (ApiError(422, "body", "no", ("note",)), False, False),
        (ApiError(409, "state", "no"), False, True),
        (ApiError(412, "version", "no"), False, True),
        (ApiError(503, "unavailable", "no"), True, False),
        (ApiError(504, "timeout", "no"), True, False),
        (Expired(SENT), False, False),
    ],
)
def test_a_form_keeps_its_key_only_while_it_may_have_been_executed(
    error: ApiError | Expired, *, same_key: bool, conflict: bool
) -> None:
    draft = refused_draft(REQUEST, SENT, error, "why")

    assert (draft.key == "k-1") is same_key
    assert draft.conflict is conflict
    assert draft.values == {"note": "Done.\r\n"}
    assert draft.csrf == token_for("")


@pytest.mark.parametrize(
    ("level", "assignee", "accepted_by", "verbs", "words"),
    [
        ("n1", None, None, (), "acknowledge"),
        ("n1", "paul", None, (), "acknowledge_for_other"),
        ("n2", None, None, (), "acknowledge_only"),  # the desk
        ("n2", None, None, ("accept",), "acknowledge"),  # of the team, or paged
        ("n2", "nadia", None, (), "acknowledge"),
        ("n2", None, "nadia", (), "acknowledge"),
        ("n2", None, "bruno", (), "acknowledge_for_other"),
    ],
)
def test_an_acknowledgement_says_who_has_it_afterwards(
    level: str,
    assignee: str | None,
    accepted_by: str | None,
    verbs: tuple[str, ...],
    words: str,
) -> None:
    of = {"level": level, "assignee": assignee, "accepted_by": accepted_by}

    assert acknowledging(of, verbs, "nadia") == words


class _Api:
    """An API that remembers what it was asked; `no` answers the second command."""

    def __init__(self, no: ApiError | None = None) -> None:
        self.asked: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = []
        self._no = no

    async def post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        self.asked.append((path.rpartition("/")[2], body, headers))
        if self._no is not None and len(self.asked) > 1:
            raise self._no
        return {"positions": [len(self.asked)]}


def _pressed(api: _Api) -> dict[str, Any]:
    client = cast("ApiClient", api)
    taken = as_sent(TAKE_OVER, "nadia")
    return asyncio.run(act(client, "/v1/incidents/INC-000001", taken, SENT))


def test_one_press_accepts_acknowledges_and_assigns_each_once() -> None:
    api = _Api()

    assert _pressed(api) == {"positions": [1, 2, 3]}
    assert [(command, body) for command, body, _ in api.asked] == [
        ("accept", {}),
        ("acknowledge", {}),
        ("assign", {"assignee": "nadia"}),
    ]
    headers = [sent for *_, sent in api.asked]
    assert len({each["Idempotency-Key"] for each in headers}) == len(headers)
    assert ["If-Match" in each for each in headers] == [True, False, False]


def test_two_forms_of_a_page_that_send_the_same_command_have_keys_of_their_own() -> (
    None
):
    api = _Api()
    client = cast("ApiClient", api)
    for action in (Action("assign"), as_sent(ASSIGN_TO_ME, "nadia")):
        asyncio.run(act(client, "/v1/incidents/INC-000001", action, SENT))

    keys = [sent["Idempotency-Key"] for command, _, sent in api.asked]
    assert len({*keys}) == len(keys)


@pytest.mark.parametrize("status", [403, 409, 422])
def test_what_was_pressed_is_done_if_what_follows_is_refused(status: int) -> None:
    assert _pressed(_Api(ApiError(status, "state", "no"))) == {"positions": [1]}


@pytest.mark.parametrize("status", [408, 429, 503, 504])
def test_what_is_unknown_is_sent_again_with_the_same_key(status: int) -> None:
    with pytest.raises(ApiError) as unknown:
        _pressed(_Api(ApiError(status, "x", "no")))

    assert refused_draft(REQUEST, SENT, unknown.value, "why").key == SENT["key"]


_INCIDENT = {"level": "n1", "assignee": None, "accepted_by": None}
_NOTHING: Mapping[str, Any] = {"reporters": (), "signals": {}}


@pytest.mark.parametrize(
    ("incident", "possible", "buttons"),
    [
        ({}, {"assign", "acknowledge"}, ["acknowledge"]),
        ({"assignee": "nadia"}, {"assign"}, []),
        ({"assignee": "paul"}, {"assign"}, ["assign_to_me"]),
        (
            {"assignee": "paul"},
            {"assign", "acknowledge"},
            ["acknowledge", "assign_to_me"],
        ),
        ({"level": "n2"}, {"assign", "acknowledge", "accept"}, ["accept"]),
        ({"level": "n2", "assignee": "paul"}, {"assign", "accept"}, ["accept"]),
        (
            {"level": "n2"},
            {"assign", "acknowledge"},
            ["acknowledge", "assign_to_me"],
        ),
        ({}, set(), []),
    ],
)
def test_each_way_to_have_an_incident_is_one_button(
    incident: Mapping[str, Any], possible: set[str], buttons: list[str]
) -> None:
    of = {**_INCIDENT, **_NOTHING, **incident, "actions": possible}
    given = Choices([], {}, "nadia")
    shown = (adapted(each, of, given, "UTC") for each in offered(TAKE_ON, possible))

    found = [each for each in shown if each is not None]
    assert [each.verb for each in found] == buttons
    if "assign_to_me" in buttons:
        assert body_of(found[-1], {}) == {"assignee": "nadia"}


def test_a_machine_is_assigned_nothing() -> None:
    of = {**_INCIDENT, "assignee": "paul", "actions": {"assign"}}

    assert adapted(ASSIGN_TO_ME, of, Choices([], {}), "UTC") is None


@pytest.mark.parametrize(
    ("code", "fields", "sentence", "wrong"),
    [
        ("body", ("note",), "1 field is wrong: `note`", ("note",)),
        ("state", (), "do it with `cause_removed` and a `title`", ("cause_removed",)),
        ("state", (), "reopen it first", ()),
        ("unknown_assignee", (), "nobody has the `id`", ("assignee",)),
    ],
)
def test_the_fields_to_correct_are_those_of_the_form_that_a_refusal_names(
    code: str, fields: tuple[str, ...], sentence: str, wrong: tuple[str, ...]
) -> None:
    error = ApiError(409, code, sentence, fields)

    draft = refused_draft(REQUEST, SENT, error, "why", RESOLVE)

    assert draft.wrong == wrong
    assert draft.conflict == (not wrong)
    other = refused_draft(REQUEST, SENT, error, "why")
    assert (other.wrong, other.conflict) == (fields, True)
