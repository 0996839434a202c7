"""From a body and its headers to what the adapter of CloudEvents reads."""

import base64
from collections.abc import Mapping

import orjson

from services.intake.adapters.cloud_data import is_json, readable
from services.intake.adapters.cloud_headers import (
    CONTENT_TYPE,
    attributes_in,
    is_envelope,
)
from services.intake.reading import read_json, require_size
from shared.http.problem_details import HttpError


def cloud_document(body: bytes, headers: Mapping[str, str]) -> object:
    """Return the events in a body, or its data where headers hold the attributes.

    The names of `headers` are in lower case. `HttpError` 400, 413 or 415 where the body
    is not what it says; data of any kind is taken.
    """
    kind = headers.get(CONTENT_TYPE, "")
    if is_envelope(kind) and not is_json(kind):
        raise HttpError(
            415,
            f"the body is {kind}: send `application/cloudevents+json`",
            code="not_json",
        )
    if not attributes_in(headers):
        return read_json(body)
    require_size(body)
    if body and kind and is_json(kind):
        return read_json(body)
    return readable(body, kind)


def cloud_body(body: bytes, document: object, headers: Mapping[str, str]) -> bytes:
    """Return the body to be kept: whole events, also where headers held a part.

    Headers are not kept, and two events may carry the same data.
    """
    attributes = attributes_in(headers)
    if not attributes:
        return body
    if not body:
        return orjson.dumps(attributes)
    if isinstance(document, str):  # it may be less than the bytes
        coded = base64.b64encode(body).decode()
        return orjson.dumps({**attributes, "data_base64": coded})
    return orjson.dumps({**attributes, "data": document})
