"""How a door is described: who may come in, what it takes, what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Schema = Mapping[str, Any]
Form = Literal["problem", "pagerduty", "opsgenie", "alerta"]
"""In whose form a door says no."""
Key = Literal["key", "token", "routing_key", "genie_key", "alerta_key"]
"""How a caller shows who it is: see `security.SCHEMES`."""

JSON = "application/json"
ADMITTED = (400, 413, 422, 429)
"""What every door answers that takes something from a source."""


@dataclass(frozen=True)
class Door:
    """One method of one path.

    `body` maps content types to what is taken of each; `answers` maps each good status
    to what comes with it, None for nothing. `refused` are the statuses of a no beside
    401 and 403, for who may not, and 503, for what is away.
    """

    says: str
    tag: str
    keys: Sequence[Key]
    answers: Mapping[int, Schema | None]
    body: Mapping[str, Schema] = field(default_factory=dict)
    must_have_body: bool = True
    refused: Sequence[int] = (429,)
    form: Form = "problem"
    asked: Sequence[Schema] = ()
    """Parameters in query or headers."""
    path: Mapping[str, Schema] = field(default_factory=dict)
    """Parameters in the path that are not just any text."""

    @property
    def operation(self) -> dict[str, Any]:
        """What the document says, without the refusals."""
        said: dict[str, Any] = {
            "summary": self.says,
            "tags": [self.tag],
            "security": [{key: []} for key in self.keys],
            "responses": {
                str(status): {"description": "Done.", **_content(schema)}
                for status, schema in self.answers.items()
            },
        }
        if self.body:
            said["requestBody"] = {
                "required": self.must_have_body,
                "content": {kind: {"schema": how} for kind, how in self.body.items()},
            }
        return said


def _content(schema: Schema | None) -> dict[str, Any]:
    return {} if schema is None else {"content": {JSON: {"schema": schema}}}


def query(name: str, schema: Schema, *, needed: bool = False) -> Schema:
    """Return a parameter of the query."""
    return {"in": "query", "name": name, "required": needed, "schema": schema}


def header(name: str, schema: Schema) -> Schema:
    """Return a header that may be left out."""
    return {"in": "header", "name": name, "required": False, "schema": schema}
