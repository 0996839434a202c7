"""An agent takes an incident on."""

from services.intake.records.system_command import AcknowledgeAccepted
from shared.domain import events
from shared.domain.commands.incident import Acknowledge, Restore
from tests.unit.intake.commands.scenario import OTHER, event, given, opened

acknowledge = Acknowledge()
acknowledged = event(events.IncidentAcknowledged)
to_odette = event(events.IncidentAssigned, team="accueil", assignee="odette")
to_wim = event(events.IncidentAssigned, team="accueil", assignee="wim")
resolved = event(events.IncidentResolved, cycle=1)


def test_who_takes_a_new_incident_has_it() -> None:
    given(opened()).when(acknowledge).then(acknowledged, to_odette)


def test_it_stays_with_whom_it_was_given_to() -> None:
    given(opened(), to_wim).when(acknowledge).then(acknowledged)


def test_acknowledging_twice_changes_nothing() -> None:
    given(opened(), acknowledged, to_odette).when(acknowledge).then()


def test_a_second_agent_does_not_take_it_again() -> None:
    given(opened(), acknowledged).when(acknowledge, by="person:wim").then()


def test_a_machine_takes_nothing() -> None:
    given(opened()).when(acknowledge, by="system:intake").then()


def test_what_was_paused_before_anybody_took_it_can_be_taken() -> None:
    paused = event(events.IncidentPaused, reason="vendor")

    given(opened(), paused).when(acknowledge).then(acknowledged, to_odette)


def test_a_reopened_incident_is_taken_anew() -> None:
    reopened = event(
        events.IncidentReopened, cycle=2, cause="agent", after_closure=False
    )

    given(opened(), acknowledged, to_odette, resolved, reopened).when(acknowledge).then(
        acknowledged
    )


def test_a_resolved_incident_is_not_acknowledged() -> None:
    given(opened(), resolved).when(acknowledge).then_refused("reopen it first")


def test_a_cancelled_incident_is_not_acknowledged() -> None:
    cancelled = event(events.IncidentCancelled, reason="test")

    given(opened(), cancelled).when(acknowledge).then_refused("open a new incident")


def test_a_merged_incident_is_acknowledged_where_it_went() -> None:
    merged = event(events.IncidentMerged, into=OTHER)

    given(opened(), merged).when(acknowledge).then_refused(f"do this on {OTHER}")


def test_an_unknown_incident_is_refused() -> None:
    given().when(acknowledge).then_refused("there is no incident", "unknown_incident")


def test_what_people_above_the_desk_have_accepted_stays_with_them() -> None:
    helped = given(opened()).with_helper("editeur", "lucas")

    helped.when(acknowledge).then(acknowledged)


def test_what_was_escalated_and_nobody_accepted_stays_with_the_team_sought() -> None:
    helped = given(opened()).with_helper("exploitation")

    helped.when(acknowledge).then(acknowledged)


def test_one_of_the_team_that_is_sought_has_it_as_theirs() -> None:
    by = {"by": "person:tariq"}
    to_tariq = event(
        events.IncidentAssigned, team="exploitation", assignee="tariq", **by
    )
    helped = given(opened()).with_helper("exploitation")

    helped.when(acknowledge, **by).then(
        event(events.IncidentAcknowledged, **by), to_tariq
    )


def test_who_accepted_it_has_it_once_they_acknowledge() -> None:
    by = {"by": "person:tariq"}
    to_tariq = event(
        events.IncidentAssigned, team="exploitation", assignee="tariq", **by
    )
    helped = given(opened()).with_helper("exploitation", "tariq")

    helped.when(acknowledge, **by).then(
        event(events.IncidentAcknowledged, **by), to_tariq
    )


def test_who_puts_it_right_for_others_does_not_take_it_from_them() -> None:
    helped = given(opened()).with_helper("editeur", "lucas")

    helped.when(Restore()).then_types("acknowledged", "restored")


accepted = AcknowledgeAccepted(cycle=1)


def test_who_accepted_it_by_a_page_and_still_has_it_acknowledges_it() -> None:
    by_a_page = given(opened()).with_helper("exploitation", "odette")

    by_a_page.when(accepted).then_types("acknowledged", "assigned")


def test_who_accepted_it_by_a_page_does_not_acknowledge_it_for_others() -> None:
    by_a_page = given(opened()).with_helper("exploitation", "odette")
    escalated = given(opened()).with_helper("editeur", level="n3")

    by_a_page.and_given_since().when(accepted).then()
    escalated.when(accepted).then()
    given(opened(), to_wim).when(accepted).then()
