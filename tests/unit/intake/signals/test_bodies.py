"""What monitoring systems post: JSON, or a form."""

import pytest

from services.intake.signals.body import (
    BODY_BYTES_MAX,
    FORM,
    FORM_FIELDS_MAX,
    read_posted,
)
from shared.http.problem_details import HttpError


def refusal(body: bytes, content_type: str = FORM) -> tuple[int, str]:
    with pytest.raises(HttpError) as no:
        read_posted(body, content_type)
    return no.value.details.status, no.value.details.detail


def test_a_form_is_an_object_of_texts() -> None:
    body = b"monitorID=779&alertDetails=HTTP+503%20%C3%A9&monitorURL="

    assert read_posted(body, f"{FORM}; charset=utf-8") == {
        "monitorID": "779",
        "alertDetails": "HTTP 503 é",
        "monitorURL": "",
    }


def test_of_two_fields_of_one_name_the_last_counts() -> None:
    assert read_posted(b"a=1&a=2", FORM.upper()) == {"a": "2"}


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain"])
def test_whatever_else_it_is_called_it_is_json(kind: str) -> None:
    assert read_posted(b'{"a": 1}', kind) == {"a": 1}
    assert refusal(b"a=1", kind)[0] == 400


def test_json_that_curl_calls_a_form_is_json() -> None:
    assert read_posted(b' {"a": "b=c&d"}', FORM) == {"a": "b=c&d"}
    assert read_posted(b"[1]", FORM) == [1]


def test_a_form_may_hold_any_bytes() -> None:
    assert read_posted(b"a=%ff\xff%00", FORM) == {"a": "\ufffd\ufffd\x00"}


@pytest.mark.parametrize("body", [b"", b"&&"])
def test_a_form_without_fields_is_none(body: bytes) -> None:
    status, said = refusal(body)

    assert (status, "name=value" in said) == (400, True)


def test_a_form_has_limits() -> None:
    assert refusal(b"a=1&" * (FORM_FIELDS_MAX + 1))[0] == 413
    assert refusal(b"a=" + b"x" * BODY_BYTES_MAX)[0] == 413
