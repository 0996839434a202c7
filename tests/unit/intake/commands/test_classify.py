"""Saying what it is about and how much it matters."""

from shared.domain.commands.incident import Classify
from shared.domain.events.incident import IncidentClassified, IncidentClosed
from tests.unit.intake.commands.scenario import event, given, opened, reported

RAISED = {"service": "billetterie", "impact": "high", "priority": "p1"}
by_hand = event(
    IncidentClassified, **RAISED, urgency="low", override=True, reason="mayor"
)


def test_priority_follows_the_matrix() -> None:
    given(opened()).when(Classify(urgency="high")).then(
        event(IncidentClassified, **RAISED, urgency="high")
    )


def test_what_is_left_out_stays() -> None:
    wish = Classify(category="billet", client="ville-de-mons")

    given(opened()).when(wish).then(
        event(
            IncidentClassified,
            category="billet",
            client="ville-de-mons",
            service="billetterie",
            impact="high",
            urgency="low",
            priority="p2",
        )
    )


def test_saying_what_is_so_changes_nothing() -> None:
    given(opened()).when(Classify(impact="high", priority="p2")).then()


def test_a_priority_by_hand_needs_the_role() -> None:
    wish = Classify(priority="p1", reason="I want it")

    given(reported()).when(wish).then_refused("leave `priority` out", "role")


def test_a_priority_by_hand_needs_a_reason() -> None:
    given(reported()).when(Classify(priority="p1"), roles=("direction",)).then_refused(
        "say in `reason` why it is p1", "invalid"
    )


def test_a_manager_with_a_reason_sets_it() -> None:
    wish = Classify(priority="p1", reason="mayor")

    given(opened()).when(wish, roles=("direction",)).then(by_hand)


def test_the_reason_is_about_the_reporter_and_under_their_key() -> None:
    wish = Classify(urgency="high", reason="Mme Lefèvre has guests")

    (classified,) = given(reported()).when(wish).events()

    assert classified.whose == "person:lefevre"


def test_an_override_stays_while_only_the_category_changes() -> None:
    given(opened(), by_hand).when(Classify(category="billet")).then(
        event(
            IncidentClassified,
            **RAISED,
            category="billet",
            urgency="low",
            override=True,
        )
    )


def test_an_agent_may_repeat_an_override() -> None:
    given(opened(), by_hand).when(Classify(priority="p1")).then()


def test_weighing_anew_goes_back_to_the_matrix() -> None:
    given(opened(), by_hand).when(Classify(urgency="low")).then(
        event(
            IncidentClassified,
            service="billetterie",
            impact="high",
            urgency="low",
            priority="p2",
        )
    )


def test_an_unknown_service_is_refused() -> None:
    given(opened()).when(Classify(service="fax")).then_refused("no service", "invalid")


def test_an_unknown_category_is_refused() -> None:
    wish = Classify(category="fax")

    given(opened()).when(wish).then_refused("no category", "invalid")


def test_a_closed_incident_is_not_classified() -> None:
    closed = event(IncidentClosed)

    given(opened(), closed).when(Classify(urgency="high")).then_refused("reopen it")
