"""Messages between the API and the owner of a stream: commands and their answers.

A command contains the credential of its sender but not their identity: the owner
derives actor, scopes and command id from the credential itself.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.events.event import Actor
from shared.domain.identifiers import ChangeRef, ExtensionRef, IncidentRef, ProblemRef
from shared.domain.limits import Limits

Done = Literal["recorded", "already", "repeated", "would_record"]
Scope = Literal["source", "agent", "manager", "auditor", "admin", "client"]
"""What somebody may do; `client`: read what concerns their own organisation."""


Body = TypeVar("Body")
"""The class of a verb's body; `dict[str, Any]` if it is only passed on."""


IDEMPOTENCY_KEY_MAX = 255
IDEMPOTENCY_KEY = rf"^[\x21-\x7e]{{1,{IDEMPOTENCY_KEY_MAX}}}$"
"""Printable characters without spaces."""
CREDENTIAL_MAX = 512


class Credential(BaseModel):
    """An unverified credential."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal[
        "token",
        "answer_link",
        "user_link",
        "page_link",
        "survey_link",
        "page_test_link",
    ]
    secret: Annotated[str, Field(max_length=CREDENTIAL_MAX, repr=False)]


class CommandMessage(BaseModel, Generic[Body]):
    """A command on `desk.command.<aggregate>.<verb>`, from the owner of a credential.

    `body` is what the sender wrote. `incident`, or for other aggregates `record`, is
    absent only if the command opens one; the answer to a proposal names both. Without a
    credential, only the report of somebody who is not signed in is accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    incident: IncidentRef | None = None
    record: ProblemRef | ChangeRef | ExtensionRef | None = None
    credential: Credential | None = None
    idempotency_key: Annotated[str, Field(pattern=IDEMPOTENCY_KEY)] | None = None
    if_match: Annotated[int, Field(ge=0)] | None = None
    preview: bool = False
    """Decide it, and record neither its events nor its refusal."""
    body: Body


class CommandRequest(BaseModel, Generic[Body]):
    """A command with an authenticated sender. The owner sets the instant.

    `scopes` are those that the sender has for the records that the command names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    incident: IncidentRef | None = None
    record: ProblemRef | ChangeRef | ExtensionRef | None = None
    actor: Actor
    scopes: tuple[Scope, ...]
    limits: Mapping[Scope, tuple[Limits, ...]] = {}
    """The limits of each scope that has some; for commands that are about no record."""
    command_id: UUID | None = None
    if_match: Annotated[int, Field(ge=0)] | None = None
    preview: bool = False
    body: Body

    @property
    def about(self) -> str | None:
        """The reference of the command's record, None if the command opens one."""
        return self.incident or self.record


class CommandAnswer(BaseModel):
    """The outcome of a command.

    `recorded`: its events are in the log at `positions`; `already`: the state was
    already as requested, nothing was appended; `repeated`: this command id was recorded
    before, with the same answer. `version` is the incident's version after it.
    `would_record`: it was only previewed; `version` is the one it was decided on.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Done
    incident: IncidentRef
    version: int
    positions: list[int]
    asks: Annotated[str | None, Field(exclude_if=lambda asks: asks is None)] = None
    """What should be done next, if anything; absent from the answer to a repeat."""


class RecordAnswer(BaseModel):
    """The same for a command about a problem or a change."""

    model_config = ConfigDict(frozen=True)

    outcome: Done
    record: ProblemRef | ChangeRef
    version: int
    positions: list[int]


Answered = CommandAnswer | RecordAnswer
"""The answer to a successful command."""


class ProblemDetails(BaseModel):
    """RFC 9457; also the answer to a refused command."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str | None = None
    errors: list[dict[str, Any]] = Field(default_factory=list)
    retry_after: int | None = None
