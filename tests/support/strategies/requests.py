"""Requests of every kind that a document describes, and what holds of every answer."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.docs.pages import DOCS

Request = Case[Any]
ENDLESS = frozenset({"GET /v1/stream"})
"""What has no end: it is read elsewhere."""
CONFORMS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("message/rfc822")
def _mail(_: Any, words: Any) -> bytes:
    """Send a mail as it is; what is no text is sent as one all the same."""
    return words if isinstance(words, bytes) else str(words).encode()


@dataclass(frozen=True)
class Operation:
    """One operation of a document; `of` is which document it is."""

    of: str
    about: Any

    @property
    def name(self) -> str:
        """As pytest shows it."""
        return f"{self.of}: {self.about.label}"

    @property
    def keys(self) -> set[str]:
        """The ways in which a caller may show who it is; none: anybody may ask."""
        said = self.about.definition.raw.get("security", [])
        return {name for one in said for name in one}

    def cases(self) -> st.SearchStrategy[Request]:
        """Return requests as described, and such that are not quite."""
        made = [
            self.about.as_strategy(generation_mode=mode)
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ]
        return st.one_of(made)


def described(page: str) -> dict[str, Any]:
    """Return an OpenAPI document of the reference.

    `tests/docs` finds it if it is stale. To make it again takes each worker of pytest
    seconds, before any test begins.
    """
    file = DOCS / "reference" / page
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def operations(of: str, document: dict[str, Any]) -> Iterator[Operation]:
    """Yield all operations of a document that end."""
    load_all_checks()
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        about = found.ok()
        if about.label not in ENDLESS:
            yield Operation(of, about)


def aimed(case: Request, there_are: Mapping[str, str]) -> Request:
    """Return a request about something that is there, where it names such a thing."""
    for name in case.path_parameters:
        place = re.search(rf"(\w+)/{{{name}}}", case.path)
        real = there_are.get(f"{place[1]}/{name}" if place else name)
        if real is not None:
            case.path_parameters[name] = real
    return case


def sent(
    case: Request, url: str, headers: Mapping[str, str], within: float
) -> Response:
    """Send a request; return the answer, which must come `within` so many seconds."""
    answer = case.call(base_url=url, headers=dict(headers), timeout=within)
    assert answer.elapsed < within
    return answer


def conforms(case: Request, answer: Response) -> None:
    """Assert of an answer that it is one of those described, and no mistake of ours."""
    status, text = answer.status_code, answer.text
    assert status < 500 or status == 503, f"{status}: {text}\n{case.as_curl_command()}"
    if status in {429, 503}:
        assert answer.headers.get("retry-after"), f"when to come again? {text}"
    assert "Traceback" not in text
    case.validate_response(answer, checks=CONFORMS)
