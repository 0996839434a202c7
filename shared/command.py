"""What travels between the API and the owner of a stream: a command and its answer.

The API alone sets actor and scopes, from the caller's token; NATS permissions keep
others from publishing commands.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events.event import Actor
from shared.references import ChangeRef, ExtensionRef, IncidentRef, ProblemRef

Done = Literal["recorded", "already", "repeated"]
Scope = Literal["source", "agent", "manager", "auditor", "admin"]


Body = TypeVar("Body")
"""The class of a verb's body; `dict[str, Any]` where it is only passed on."""


class CommandRequest(BaseModel, Generic[Body]):
    """A person's wish, on `desk.command.<aggregate>.<verb>`.

    `body` is what the person sent. `incident`, or for the other aggregates `record`,
    is absent only where the command begins one; the answer to a proposal names both.
    The owner sets the instant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    incident: IncidentRef | None = None
    record: ProblemRef | ChangeRef | ExtensionRef | None = None
    actor: Actor
    scopes: tuple[Scope, ...]
    command_id: UUID | None = None
    if_match: Annotated[int, Field(ge=0)] | None = None
    body: Body

    @property
    def about(self) -> str | None:
        """The reference of what the command is about, None where it begins one."""
        return self.incident or self.record


class CommandAnswer(BaseModel):
    """The outcome of a command.

    `recorded`: its events are in the log at `positions`; `already`: it was so before,
    nothing was appended; `repeated`: this command id was recorded before, same answer.
    `version` is the incident's version after it.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Done
    incident: IncidentRef
    version: int
    positions: list[int]


class RecordAnswer(BaseModel):
    """The same for a command about a problem or a change."""

    model_config = ConfigDict(frozen=True)

    outcome: Done
    record: ProblemRef | ChangeRef
    version: int
    positions: list[int]


Answered = CommandAnswer | RecordAnswer
"""The answer to a command that was done."""


class ProblemDetails(BaseModel):
    """RFC 9457; also the answer to a command that was not done."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str | None = None
    errors: list[dict[str, Any]] = Field(default_factory=list)
    retry_after: int | None = None
