"""The commands on month reports: the body of each request, one class for each verb.

Intake owns the streams of reports. The read API counts the figures that are approved
and published, and adds them to the command: its callers do not send any.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.domain.bounded_text import Reason
from shared.domain.commands.incident import CommandBody
from shared.domain.events.month_report import ReportFigures, ReportSection
from shared.domain.identifiers import Month
from shared.domain.policy.clause import Name

Seen = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CommentMonthReport(CommandBody):
    """Comment on a section of the month report of a client, or on all of it.

    The last comment on a section counts. It ends an approval.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "comment_month_report"
    client: Name
    month: Month
    section: ReportSection
    text: Reason | None = None
    """Null: delete the comment."""


class ApproveMonthReport(CommandBody):
    """Approve the month report of a client: its figures and its comments.

    A manager may who wrote none of its comments.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "approve_month_report"
    client: Name
    month: Month
    seen: Seen
    """The digest of what was read, as the report has it in `seen`."""
    figures: ReportFigures


class PublishMonthReport(CommandBody):
    """Publish the approved report: the edition never changes, and contacts are mailed.

    After the first edition, what is published corrects the one before.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "publish_month_report"
    client: Name
    month: Month
    figures: ReportFigures


MonthReportCommand = CommentMonthReport | ApproveMonthReport | PublishMonthReport

BODIES: Mapping[str, type[MonthReportCommand]] = {
    kind.verb: kind for kind in get_args(MonthReportCommand)
}


class MonthReportAnswer(BaseModel):
    """The outcome of a command about a month report, as that of other commands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["recorded", "already", "repeated"]
    client: Name
    month: Month
    edition: int | None = None
    """The edition that was published."""
    version: int
    """The version of the report after it."""
    positions: list[int]
