"""A request that is not an incident is handed elsewhere, and its users are told."""

from services.intake.records.rules.context import DecisionContext
from shared.domain import events
from shared.domain.commands.incident import Cancel, Redirect, Reopen
from shared.domain.incident import IN_STOCK, replay
from tests.unit.intake.commands.scenario import (
    KEY,
    ODETTE,
    POLICY,
    called,
    event,
    given,
    opened,
    reported,
)

redirect = Redirect(to="rh", message="La RH vous répond.")
redirected = event(events.IncidentRedirected, to="rh", message="La RH vous répond.")
paused = event(events.IncidentPaused, reason="user", question="Quel mois ?")


def test_it_ends_and_is_neither_resolved_nor_counted_as_cancelled() -> None:
    given(reported()).when(redirect).then(redirected)

    incident = replay([reported(), redirected])
    assert incident is not None
    assert incident.status not in IN_STOCK
    assert (incident.redirected_to, incident.resolved_at) == ("rh", None)
    assert incident.cancelled_because is None


def test_its_message_is_sealed_with_the_key_of_who_reported_it() -> None:
    context = DecisionContext("INC-000042", reported().at, ODETTE, POLICY, 1)
    incident = replay([reported()])
    assert incident is not None

    assert context.about(incident)["whose"] == "person:lefevre"
    (decided,) = given(reported()).when(redirect).events()
    assert decided.whose == "person:lefevre"


def test_waiting_for_somebody_ends_with_it() -> None:
    given(reported(), paused).when(redirect).then_types("resumed", "redirected")


def test_only_a_destination_of_the_policy_is_possible() -> None:
    elsewhere = Redirect(to="ailleurs", message="Voyez ailleurs.")

    given(reported()).when(elsewhere).then_refused("choose one of rh", "invalid")


def test_what_nobody_reported_or_what_fires_is_not_a_request() -> None:
    recovered = event(events.IncidentRecovered, signal_key=KEY, source="prom")

    given(opened(), recovered).when(redirect).then_refused("nobody reported")
    given(opened(), called()).when(redirect).then_refused("still fires", "firing")
    given(opened(), recovered, called()).when(redirect).then(redirected)


def test_it_is_handed_elsewhere_once() -> None:
    other = Redirect(to="achats", message="Voyez les achats.")
    cancelled = event(events.IncidentCancelled, reason="test")

    given(reported(), redirected).when(redirect).then()
    given(reported(), redirected).when(other).then_refused("to `rh`: that stays")
    given(reported(), redirected).when(Cancel(reason="test")).then_refused("to `rh`")
    given(reported(), cancelled).when(redirect).then_refused("cancelled already")
    given(reported(), redirected).when(Reopen()).then_refused("open a new incident")
