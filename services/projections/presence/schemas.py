"""A visit as processes of projections tell it each other, over NATS."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.projections.presence.state import PageId, Visit
from shared.domain.identifiers import IncidentRef

_Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class VisitMessage(BaseModel):
    """A visit, or the end of one; `origin` is the process that was told of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: _Id
    incident: IncidentRef
    session: _Id
    tab: _Id
    person: _Id
    form: _Id | None = None
    number: Annotated[int, Field(ge=0)] | None = None
    is_over: bool = False

    @property
    def visit(self) -> Visit:
        """The visit that is reported."""
        page = PageId(self.session, self.tab)
        return Visit(self.incident, page, self.person, self.form, self.number)
