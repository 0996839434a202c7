"""What answers show of month reports: figures, comments, approval and editions."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.projections.api.answers import Answer
from services.projections.generations import AsOf
from shared.domain.commands.month_report import Seen
from shared.domain.events.month_report import (
    Numbers,
    ReportFigures,
    ReportSection,
)
from shared.domain.identifiers import Month
from shared.domain.month_report import State
from shared.domain.policy.clause import Name
from shared.i18n.catalog import Language


class ReportLine(Answer):
    """A month report in the list."""

    client: Name
    month: Month
    state: State
    """`open`: nothing is written. `draft`, `approved`, `published`. `revised`: comments
    were written since the last edition."""
    comments: int
    """How many sections have a comment."""
    edition: int | None
    """The last edition."""
    published_at: AwareDatetime | None
    published_by: str | None


class MonthReports(Answer):
    """The reports of the months that are over, the newest first."""

    items: list[ReportLine]
    zone: str
    as_of: AsOf


class CommentView(Answer):
    """The comment on a section."""

    text: str
    by: str
    at: AwareDatetime


class Approval(Answer):
    """An approval that is not published yet."""

    by: str
    at: AwareDatetime
    is_current: bool
    """Whether the log gives today what was approved; otherwise approve it again."""


class EditionView(Answer):
    """An edition, as it was published: it never changes."""

    edition: int
    corrects: int | None
    published_at: AwareDatetime
    by: str
    approved_by: str
    approved_at: AwareDatetime
    comments: dict[ReportSection, CommentView]
    figures: ReportFigures
    recipients: list[str]
    """The contacts who were sent a link to it."""


class Difference(Answer):
    """A number that the log gives differently today."""

    month: Month
    """The month of the report, or the one before."""
    number: str
    then: float | None
    """As it was published last."""
    now: float | None


class MonthReportView(Answer):
    """The month report of a client."""

    client: Name
    month: Month
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    zone: str
    state: State
    version: int
    seen: Seen
    """The digest of the figures and comments below, which an approval names."""
    comments: dict[ReportSection, CommentView]
    figures: ReportFigures
    """As the log gives them today."""
    approved: Approval | None
    editions: list[EditionView]
    """The newest first."""
    differences: list[Difference]
    """Between the last edition and today."""
    definitions: dict[str, str]
    """The meaning of each metric today."""
    sections: Mapping[ReportSection, tuple[str, ...]]
    """The metrics of each section, in order."""
    four_eyes: bool
    """Whether nobody who wrote a comment may approve it."""
    contacts: list[str]
    """Who is sent a link once it is published."""
    as_of: AsOf


class PublishedReport(Answer):
    """An edition, as the contact of a client reads it by the link."""

    client: Name
    month: Month
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    zone: str
    edition: int
    corrects: int | None
    replaced_by: int | None
    """The newest edition, if there is a newer one."""
    published_at: AwareDatetime
    comments: dict[ReportSection, str]
    numbers: Numbers
    before: Numbers
    definitions: dict[str, str]
    sections: Mapping[ReportSection, tuple[str, ...]]
    changed_definitions: list[str]
    """Metrics that are defined differently today."""
    language: Language


class ApproveMonthReportBody(BaseModel):
    """The approval of a report."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    seen: Seen
    """The digest of what was read, as the report has it in `seen`."""


class PublishMonthReportBody(BaseModel):
    """Nothing: what was approved is published."""

    model_config = ConfigDict(frozen=True, extra="forbid")
