"""Whatever people do with a report: nothing is published that nobody else approved."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from services.intake.month_reports.rules import (
    Author,
    approved,
    commented,
    published,
)
from shared.domain.commands.month_report import (
    ApproveMonthReport,
    CommentMonthReport,
    PublishMonthReport,
)
from shared.domain.events.month_report import (
    MonthReportApproved,
    MonthReportEvent,
    MonthReportPublished,
    ReportFigures,
)
from shared.domain.limits import Within
from shared.domain.month_report import (
    MonthReport,
    digest_of,
    replay_report,
    versions_of,
)
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from tests.support.policies import full

CLIENT, MONTH = "ville-de-mons", "2025-06"
NOW = datetime(2025, 7, 1, tzinfo=UTC)
POLICY = full()
PEOPLE = ("paul", "nadia", "sylvie")
RIGHTS: Mapping[Scope, Within] = {"manager": None}
_Step = tuple[Literal["comment", "approve", "publish", "correct"], str, str]
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["comment", "approve", "publish", "correct"]),
        st.sampled_from(PEOPLE),
        st.sampled_from(["overall", "promises"]),
    ),
    max_size=25,
)


def figures(closed: int, position: int) -> ReportFigures:
    return ReportFigures(
        position=position,
        numbers={"balance.closed": closed},
        before={},
        definitions={},
    )


def decided(
    step: _Step, number: int, held: MonthReport, now: ReportFigures
) -> MonthReportEvent | None:
    """Return what a step records; None if it is refused, or records nothing."""
    verb, person, section = step
    who = Author(f"person:{person}", NOW + timedelta(hours=number), RIGHTS, POLICY, 1)
    about = {"client": CLIENT, "month": MONTH}
    seen = digest_of(now, versions_of(held.comments))
    try:
        match verb:
            case "comment":
                said = {"section": section, "text": f"Words {number}"}
                body = CommentMonthReport.model_validate({**about, **said})
                return commented(body, held, who)
            case "approve":
                found = {"seen": seen, "figures": now}
                return approved(
                    ApproveMonthReport.model_validate({**about, **found}), held, who
                )
            case "publish":
                command = PublishMonthReport.model_validate({**about, "figures": now})
                return published(command, held, who, {})
            case _:
                return None
    except Refused:
        return None


@given(_STEPS)
def test_what_is_published_is_what_another_person_approved(steps: list[_Step]) -> None:
    happened: list[MonthReportEvent] = []
    closed = 0
    for number, step in enumerate(steps):
        closed += step[0] == "correct"
        held = replay_report(zip(count(1), happened))
        event = decided(step, number, held, figures(closed, number))
        happened += [event] if event else []

    editions = [e for e in happened if isinstance(e, MonthReportPublished)]
    approvals = [e for e in happened if isinstance(e, MonthReportApproved)]
    held = replay_report(zip(count(1), happened))
    for edition in held.editions:
        (approval,) = [e for e in approvals if e.at == edition.published.approved_at]
        assert approval.figures == edition.published.figures
        assert approval.comments == edition.published.comments
        assert approval.by not in {each.by for each in edition.comments.values()}
        assert "overall" in edition.comments
    assert [e.edition for e in editions] == [*range(1, len(editions) + 1)]
    assert [e.corrects for e in editions] == [None, *range(1, len(editions))][
        : len(editions)
    ]
    said = [digest_of(e.figures, e.comments) for e in editions]
    assert all(one != other for one, other in pairwise(said))
