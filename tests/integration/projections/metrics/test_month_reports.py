"""A month report: what is published is what the log gave, and what differs is shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from services.intake.month_reports.store import MonthReportDesk
from services.intake.policy.store import Policies
from services.projections.generations import AsOf, create
from services.projections.month_reports.figures import report_figures
from services.projections.read_models import METRICS
from shared.domain.commands.month_report import (
    ApproveMonthReport,
    CommentMonthReport,
    MonthReportCommand,
    PublishMonthReport,
)
from shared.domain.events.month_report import MonthReportPublished, ReportFigures
from shared.domain.identifiers import month_report_stream
from shared.messaging.commands import CommandRequest, Scope
from tests.support.builders.june_log import HOUR, ONE, TWO, June, june, promise
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

CLIENT, MONTH = "ville-de-mons", "2025-06"
PATH = f"/v1/month-reports/{CLIENT}/{MONTH}"
NOW = datetime(2025, 7, 1, 8, tzinfo=UTC)
TTR = {"target": "ttr", "cycle": 1}
LATE = {"contract": "ville", "seconds": 8 * HOUR}


def breached(month: June, ref: str, day: int) -> None:
    month.opens(june(day, 8), ref, client=CLIENT)
    promise(month, ref, day, 8)
    due = june(day + 1)
    words = {**TTR, **LATE, "due_at": due, "breached_at": due}
    month.says(due, "sla.breached", ref, **words)


def act(month: June, command: MonthReportCommand, who: str, scope: Scope) -> str:
    """Let intake take a command at the month's instant; return the outcome."""
    desk = MonthReportDesk(month.log, Policies(month.log), lambda: month.now)
    request = CommandRequest[Any](actor=who, scopes=(scope,), body=command)
    answer = desk.take(request)
    month.position = max(month.position, *answer.positions, 0)
    return answer.outcome


def comment(month: June, text: str) -> str:
    body = {"client": CLIENT, "month": MONTH, "section": "overall", "text": text}
    command = CommentMonthReport.model_validate(body)
    return act(month, command, "person:paul", "agent")


def report(api: Api, month: June) -> dict[str, Any]:
    return api.get(PATH, "manager", min_position=month.position)


def published(api: Api, month: June) -> list[str]:
    """Approve and publish a report as it is; return the outcomes, the last repeated."""
    shown = report(api, month)
    figures = ReportFigures.model_validate(shown["figures"])
    approval = ApproveMonthReport(
        client=CLIENT, month=MONTH, seen=shown["seen"], figures=figures
    )
    publication = PublishMonthReport(client=CLIENT, month=MONTH, figures=figures)
    return [
        act(month, each, "person:sylvie", "manager")
        for each in (approval, approval, publication, publication)
    ]


def at_position(api: Api, month: June, position: int) -> ReportFigures:
    """Count the figures again from the log up to a position."""
    entries = [e for e in month.log.since(0, 1_000) if e.position <= position]
    upto = AsOf(position=position, time=entries[-1].recorded_at)
    with psycopg.connect(api.database.owner_dsn) as owner, owner.cursor() as cursor:
        schema = create(cursor, METRICS)
        for statement in METRICS.indexes(schema):
            cursor.execute(statement)
        METRICS.apply(cursor, schema, entries)
        found = report_figures(
            month.log, cursor, (schema, upto), (CLIENT, MONTH), month.now
        )
        owner.rollback()
    return found


def test_an_edition_stays_what_the_log_gave_and_a_correction_shows(
    api: Api, month: June
) -> None:
    breached(month, ONE, 2)
    breached(month, TWO, 4)
    month.opens(june(6, 8), "INC-000009", client="fret-lusitania")
    month.now = NOW
    _assert_refused(api)
    assert report(api, month)["state"] == "open"
    assert [comment(month, "A hard month.") for _ in range(2)] == [
        "recorded",
        "already",
    ]

    assert published(api, month) == ["recorded", "already", "recorded", "already"]

    entry = month.log.history(month_report_stream(CLIENT, MONTH))[-1]
    assert isinstance(entry.event, MonthReportPublished)
    first = entry.event.figures
    assert first.numbers["balance.recorded"] == 2
    assert first.numbers["sla.ttr.breached_by.unattributed"] == 2
    assert at_position(api, month, first.position) == first
    shown = report(api, month)
    assert (shown["state"], shown["differences"]) == ("published", [])

    later = NOW + timedelta(days=1)
    month.says(later, "sla.breach_attributed", ONE, **TTR, party="user")

    shown = report(api, month)
    assert [
        (each["number"], each["then"], each["now"]) for each in shown["differences"]
    ] == [
        ("sla.ttr.breached_by.user", 0, 1),
        ("sla.ttr.breached_by.unattributed", 2, 1),
    ]
    assert shown["editions"][0]["figures"] == first.model_dump(mode="json")


def test_a_corrected_edition_names_the_one_that_it_corrects(
    api: Api, month: June
) -> None:
    breached(month, ONE, 2)
    breached(month, TWO, 4)
    month.now = NOW
    comment(month, "A hard month.")
    published(api, month)
    later = NOW + timedelta(days=1)
    month.says(later, "sla.breach_attributed", ONE, **TTR, party="user")

    assert published(api, month) == ["recorded", "already", "recorded", "already"]

    shown = report(api, month)
    assert shown["differences"] == []
    assert [(e["edition"], e["corrects"]) for e in shown["editions"]] == [
        (2, 1),
        (1, None),
    ]
    _assert_rows(api, month)


def _assert_rows(api: Api, month: June) -> None:
    """Each number is a row, beside the month before and what the log gives now."""
    asked = {"format": "csv", "min_position": month.position}
    table = api.call("GET", PATH, "manager", params=asked)
    head, *lines = table.text.splitlines()
    assert head == "client,month,edition,section,number,value,before,now,definition"
    (recorded,) = [each for each in lines if ",balance.recorded," in each]
    assert recorded.startswith(f"{CLIENT},{MONTH},2,incidents,balance.recorded,2,0,2,")
    listed = api.get("/v1/month-reports", "manager", months=24, client=CLIENT)
    (line,) = [each for each in listed["items"] if each["month"] == MONTH]
    assert (line["state"], line["edition"]) == ("published", 2)


NO_REPORTS = (
    ("/v1/month-reports/nobody/2025-06", 404, "unknown_client"),
    ("/v1/month-reports/ville-de-mons/2098-06", 404, "unknown_report"),
    ("/v1/month-reports/ville-de-mons/2025-13", 422, "invalid"),
    ("/v1/month-report-links/nothing", 404, "unknown_link"),
)


def _assert_refused(api: Api) -> None:
    for path, status, code in NO_REPORTS:
        answer = api.call("GET", path, "manager")
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
