"""The paths of commands on month reports."""

from typing import Annotated

from fastapi import Depends, Path

from services.projections.api.commands.messages import Message, NewRecord, with_path
from shared.domain.identifiers import Month
from shared.domain.policy.clause import Name

MONTH_REPORT = "/v1/month-reports/{client}/{month}"
ClientPath = Annotated[Name, Path(description="A client of a contract: `mairie`.")]
MonthPath = Annotated[Month, Path(description="A month that is over: `2025-06`.")]


async def about_month_report(
    client: ClientPath, month: MonthPath, message: NewRecord
) -> Message:
    """Return a command about the report of a client and a month."""
    named = message.model_copy(update={"body": with_path(message, "client", client)})
    return named.model_copy(update={"body": with_path(named, "month", month)})


ReportMessage = Annotated[Message, Depends(about_month_report)]
