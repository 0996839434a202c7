"""Parses a request body into a document, within limits on its size and form."""

from typing import Any
from urllib.parse import parse_qsl

from shared.http.bodies import document_in
from shared.http.problem_details import HttpError

BODY_BYTES_MAX = 512 * 1024
DEPTH_MAX = 32
ARRAY_MAX = 1_000
FORM_FIELDS_MAX = 1_000
FORM = "application/x-www-form-urlencoded"


def read_json(body: bytes) -> Any:  # noqa: ANN401 # a JSON document may be anything
    """Return the JSON document in `body`; raise `HttpError` 400 or 413 if invalid."""
    require_size(body)
    return document_in(body, DEPTH_MAX)


def require_size(body: bytes) -> None:
    """Raise `HttpError` 413 if the body is too large."""
    if len(body) > BODY_BYTES_MAX:
        raise HttpError(
            413,
            f"the body has {len(body)} bytes; at most {BODY_BYTES_MAX}: send less",
            code="too_large",
        )


def read_posted(body: bytes, content_type: str) -> Any:  # noqa: ANN401 # likewise
    """Return the document a monitoring system posted: JSON, or a form as an object.

    Some scripts send JSON with the content type of a form, which is curl's default: a
    body that begins like JSON is parsed as JSON.
    """
    return read_form(body) if is_form(body, content_type) else read_json(body)


def is_form(body: bytes, content_type: str) -> bool:
    """Return whether a body is a form: declared as one, not beginning like JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == FORM and body.lstrip()[:1] not in {b"{", b"["}


def read_kept(body: bytes, content_type: str | None = None) -> Any:  # noqa: ANN401 # likewise
    """Return the document in a stored body, whose content type may be unknown."""
    if content_type is not None:
        return read_posted(body, content_type)
    try:
        return read_json(body)
    except HttpError:
        if b"=" not in body or body.lstrip()[:1] in {b"{", b"[", b'"'}:
            raise
        return read_form(body)


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form; of several with one name, the last."""
    require_size(body)
    try:
        fields = parse_qsl(
            body.decode(errors="replace"),
            keep_blank_values=True,
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError as error:
        raise HttpError(
            413, f"more than {FORM_FIELDS_MAX} fields: send fewer", code="too_large"
        ) from error
    if not fields:
        raise HttpError(400, "the form has no fields: name=value&…", code="not_a_form")
    return dict(fields)


def elements(document: object) -> list[object]:
    """Return the events of a body that is one event or an array of events."""
    if not isinstance(document, list):
        return [document]
    if len(document) > ARRAY_MAX:
        raise HttpError(
            413,
            f"{len(document)} events in one array; at most {ARRAY_MAX}: split it",
            code="too_large",
        )
    if not document:
        raise HttpError(422, "the array is empty: send at least one event")
    return document
