"""What a page link shows, and the answers that it takes."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from services.projections.api.answers import Answer
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.i18n.catalog import Language

PageState = Literal["waiting", "yours", "taken", "moved", "over"]
"""`taken`: a colleague has it; `moved`: it left the level at which they were paged;
`over`: it is resolved, or ended in another way."""


class PageToAnswer(Answer):
    """A page, as far as it may be shown without signing in: no words of people."""

    incident: IncidentRef
    priority: Priority
    service: str
    """Its name, in the reader's language."""
    level: SupportLevel
    """The level at which the reader was paged."""
    title: str | None
    """The title that monitoring gave it. Null if a person reported it."""
    state: PageState
    declined: bool
    """Whether the reader has declined."""
    called: bool
    """Whether the reader has had somebody else paged."""
    wanted: int | None
    """How many people still have to take it, if the policy wants several."""
    language: Language


class PageAnswerBody(BaseModel):
    """The answer to a page.

    `take`: I take it; `decline`: not me, and the next person is paged at once;
    `another`: page somebody else as well. `key` makes a repeat of the same form count
    once.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    action: Literal["take", "decline", "another"]
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
