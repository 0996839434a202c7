"""Every command that people may send has one endpoint, and one entry in the table."""

from collections import Counter

from services.projections.api.commands.routes import COMMANDS
from shared.domain.commands import (
    change,
    contact_method,
    escalation,
    incident,
    intervention,
    month_report,
    on_call,
    page_explanation,
    page_test,
    parked_event,
    person,
    policy_moves,
    problem,
    review,
    sla,
    survey,
)

BESIDE_THE_TABLE = {
    ("sla", sla.ProposeExtension.verb),
    ("sla", policy_moves.PreviewMove.verb),
    ("sla", policy_moves.LookAtMove.verb),
    ("escalation", escalation.TakePage.verb),
    ("escalation", escalation.DeclinePage.verb),
    ("escalation", escalation.PageAnother.verb),
    *(
        (aggregate, verb)
        for aggregate in parked_event.AGGREGATES.values()
        for verb in parked_event.BODIES
    ),
    ("person", contact_method.RemoveContactMethod.verb),
    ("person", page_explanation.ExplainPages.verb),
    ("person", page_test.AnswerPageTest.verb),
    ("person", month_report.ApproveMonthReport.verb),
    ("person", month_report.PublishMonthReport.verb),
    ("person", person.RemovePerson.verb),
    ("person", person.ImportPeople.verb),
    ("person", person.SyncPeople.verb),
    ("on_call", on_call.ImportShifts.verb),
}
"""What answers with more than its outcome, what only asks, and to what we add figures.
"""


def test_each_command_has_an_endpoint() -> None:
    commands = {("incident", verb) for verb in incident.BODIES}
    commands |= {("problem", verb) for verb in problem.BODIES}
    commands |= {("change", verb) for verb in change.BODIES}
    for bodies in (
        escalation.BODIES,
        sla.BODIES,
        policy_moves.BODIES,
        person.BODIES,
        on_call.BODIES,
        contact_method.BODIES,
        intervention.BODIES,
        page_explanation.BODIES,
        survey.BODIES,
        month_report.BODIES,
        review.BODIES,
        page_test.BODIES,
    ):
        commands |= {(kind.aggregate, kind.verb) for kind in bodies.values()}
    commands |= {
        (aggregate, verb)
        for aggregate in parked_event.AGGREGATES.values()
        for verb in parked_event.BODIES
    }

    routed = {(route.aggregate, route.verb) for route in COMMANDS}

    assert routed == commands - BESIDE_THE_TABLE


def test_no_path_and_no_name_is_taken_twice() -> None:
    paths = Counter(route.path for route in COMMANDS)
    names = Counter(route.name for route in COMMANDS)

    assert max(paths.values()) == max(names.values()) == 1
