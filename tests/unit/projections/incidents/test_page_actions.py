"""A form of a page becomes the body of a command, and is shown again when refused."""

import pytest
from starlette.requests import Request

from services.projections.web.actions import (
    Action,
    Expired,
    Field,
    body_of,
    refused_draft,
)
from services.projections.web.api_client import ApiError
from services.projections.web.csrf import token_for
from services.projections.web.incident.actions import acknowledging

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
