"""The events of month reports: comments, the approval, and what was published.

The streams `month_report-<client>.<month>` are written only by intake.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.events.event import Actor, Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.policy.clause import Name

ReportSection = Literal[
    "overall",
    "satisfaction",
    "incidents",
    "promises",
    "times",
    "quality",
    "changes",
]
"""What a comment is about: the report as a whole, or one of its sections."""
Numbers = Mapping[str, int | float | None]
"""Numbers by name, such as `balance.closed`; null if there is none, or it is withheld.
"""


class ReportFigures(BaseModel):
    """The numbers of a report, as they were counted up to a position of the log."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    position: int
    """Of the newest event that was counted."""
    numbers: Numbers
    before: Numbers
    """The same numbers of the month before."""
    definitions: Mapping[str, str]
    """The version of the definition of each metric."""


class MonthReportCommented(Event):
    """Somebody wrote, or deleted, the comment on a section of a report."""

    type: Literal["month_report.commented"] = "month_report.commented"
    client: Name
    month: str
    section: ReportSection
    text: Text | None = None
    """Null: the comment was deleted."""


class MonthReportApproved(Event):
    """A report was approved, with these comments and figures.

    A later comment ends the approval.
    """

    type: Literal["month_report.approved"] = "month_report.approved"
    client: Name
    month: str
    policy: int
    comments: Mapping[ReportSection, int]
    """The version of the stream in which each comment was written."""
    figures: ReportFigures


class MonthReportPublished(Event):
    """An edition of a report was published; it never changes."""

    type: Literal["month_report.published"] = "month_report.published"
    client: Name
    month: str
    policy: int
    start: AwareDatetime
    end: AwareDatetime
    """The month in the time zone of the desk, [start, end)."""
    edition: int
    """Numbered within the report, from 1."""
    corrects: int | None = None
    """The edition that it corrects."""
    approved_by: Actor
    approved_at: AwareDatetime
    comments: Mapping[ReportSection, int]
    figures: ReportFigures
    recipients: tuple[PersonId, ...] = ()
    """The contacts of the client who are sent a link to it."""


MonthReportEvent = MonthReportCommented | MonthReportApproved | MonthReportPublished
