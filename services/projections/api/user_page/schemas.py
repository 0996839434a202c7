"""What a user's page shows, and what it sends."""

from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.projections.api.answers import Answer
from shared.domain.bounded_text import Words
from shared.domain.events.notification import Kind
from shared.domain.identifiers import ExtensionRef, IncidentRef
from shared.i18n.catalog import Language

Action = Literal["words", "solved", "not_solved", "accept", "refuse"]
Standing = Literal[
    "received",
    "taken",
    "waiting_for_you",
    "waiting",
    "restored",
    "resolved",
    "closed",
    "cancelled",
    "redirected",
]
"""The status in terms of the user; `restored` is at work, but the service is back."""
PromiseState = Literal["running", "paused", "met", "breached", "cancelled"]


class UserPromise(Answer):
    """A promise made to the user, and when it is due in their words."""

    target: Literal["tto", "ttr"]
    stops_at: Literal["restored", "resolved"]
    state: PromiseState
    due_at: AwareDatetime | None
    """Null while it is paused."""
    due_text: str | None


class UserQuestion(Answer):
    """A longer delay to which the user may agree."""

    extension: ExtensionRef
    why: str
    new_due_at: AwareDatetime
    new_due_text: str
    was_due_text: str | None
    answer_by_text: str


class UserEntry(Answer):
    """A message of the desk to this user, or the user's own words."""

    at: AwareDatetime
    at_text: str
    kind: Kind | Literal["workaround", "own"]
    words: str | None
    """Null if the message has no words besides its kind, or they are erased."""


class UserPage(Answer):
    """An incident as one of its users may follow it; nothing in it is about others."""

    incident: IncidentRef
    """Where the link leads today."""
    merged_from: IncidentRef | None
    """The incident that the user knew, if it was merged since."""
    title: str | None
    """Null unless the user is known to have reported it."""
    standing: Standing
    language: Language
    reported_at: AwareDatetime
    reported_text: str
    promises: list[UserPromise]
    question: str | None
    """What the desk asks the user and waits for."""
    delay: UserQuestion | None
    entries: list[UserEntry]
    """The newest first."""
    may: list[Action]
    """What the user may do now."""
    shared: bool
    """Whether others reported it too: the desk closes it, and no single user."""
    incomplete: bool = False
    """Whether something about it cannot be read at present, so it is not shown."""


class UserAct(BaseModel):
    """What a user does: adds words, says whether it is solved, answers about a delay.

    `key` makes a repeat of the same form count once.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    action: Action
    words: Words | None = None
    """The user's own words, verbatim; required for `words`."""
    extension: ExtensionRef | None = None
    """The delay that is answered; required for `accept` and `refuse`."""
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.action == "words" and self.words is None:
            raise PydanticCustomError("words", "write in `words` what you want to add")
        answers = self.action in {"accept", "refuse"}
        if answers != (self.extension is not None):
            raise PydanticCustomError(
                "extension", "give `extension` with `accept` or `refuse`, and only then"
            )
        return self
