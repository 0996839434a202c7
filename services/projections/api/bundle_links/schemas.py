"""What the link of a bundle shows, and the answer that it takes."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from services.projections.api.answers import Answer
from services.projections.api.page_links.schemas import PageToAnswer
from shared.domain.identifiers import IncidentRef
from shared.i18n.catalog import Language


class BundleToAnswer(Answer):
    """A bundle of pages, as far as it may be shown without signing in."""

    pages: list[PageToAnswer]
    """The most important ones first; without those about incidents that the reader may
    not work on any more."""
    waiting: int
    """How many of them wait for somebody to take them."""
    language: Language


class BundleAnswerBody(BaseModel):
    """The answer to a bundle: to take each incident of it that still waits.

    `key` makes a repeat of the same form count once.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    action: Literal["take"]
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]


class BundleAnswer(Answer):
    """The outcome, incident by incident."""

    taken: list[IncidentRef]
    """Those that the reader has now; by an earlier answer, too."""
    not_taken: list[IncidentRef]
    """Those that a colleague has, that moved on or that are over."""
