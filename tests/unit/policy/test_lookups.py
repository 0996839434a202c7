"""What rules ask of a policy."""

from datetime import timedelta

import pytest

from shared.domain.policy.document import Classification
from shared.domain.policy.priorities import Impact, Priority, Severity, Urgency
from tests.support.policies import full


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [("high", "medium", "p1"), ("high", "low", "p2"), ("medium", "low", "p3"),
     ("low", "high", "p3"), ("low", "low", "p4")],
)  # fmt: skip
def test_the_matrix_gives_the_priority(
    impact: Impact, urgency: Urgency, priority: Priority
) -> None:
    assert full().priority(impact, urgency) == priority


def test_a_service_nobody_knows_is_the_one_called_unknown() -> None:
    policy = full()
    assert policy.service("gare") == policy.services["unknown"]
    assert policy.service(None) == policy.services["unknown"]
    assert policy.service_known_as("gare") == "unknown"
    assert policy.service_known_as("horaires") == "horaires"


@pytest.mark.parametrize(
    ("severity", "urgency"),
    [("critical", "high"), ("error", "high"), ("warning", "medium"), ("info", "low")],
)
def test_a_severity_means_the_usual_where_the_source_says_nothing_else(
    severity: Severity, urgency: Urgency
) -> None:
    policy = full()
    assert policy.urgency("quais", severity) == urgency
    assert policy.urgency("nobody", severity) == urgency
    assert policy.urgency("guichet", severity) == urgency


def test_a_source_may_mean_something_else_by_one_severity() -> None:
    policy = full()
    assert policy.urgency("prom", "warning") == "low"
    assert policy.urgency("prom", "critical") == "high"


def test_a_signal_is_classified_by_criticality_and_severity() -> None:
    found = full().for_signal("prom", "billetterie", "critical")
    assert found == Classification("billetterie", "high", "high", "p1")


@pytest.mark.parametrize(
    ("source", "named", "labels", "service"),
    [
        ("quais", "billetterie", {}, "billetterie"),
        ("quais", None, {}, "horaires"),
        ("quais", "gare", {}, "horaires"),
        ("prom", None, {"app": "billetterie"}, "billetterie"),
        ("prom", None, {"app": "gare"}, "unknown"),
        ("prom", "horaires", {"app": "billetterie"}, "horaires"),
        ("prom", None, {}, "unknown"),
        ("guichet", None, {}, "unknown"),
        ("nobody", "horaires", {}, "horaires"),
        ("nobody", "", {}, "unknown"),
    ],
)
def test_the_service_is_the_one_named_else_the_sources_else_unknown(
    source: str, named: str | None, labels: dict[str, str], service: str
) -> None:
    assert full().for_signal(source, named, "info", labels).service == service


def test_only_the_roles_named_may_override() -> None:
    policy = full()
    assert policy.may_override(["agent", "direction"])
    assert not policy.may_override(["agent", "desk-manager"])
    assert not policy.may_override([])


def test_the_desk_says_when_an_incident_is_over() -> None:
    policy = full()
    assert policy.team_of_first_contact == "accueil"
    assert policy.close_after == timedelta(hours=12)
    assert policy.reopen_within == timedelta(hours=36, minutes=30)
    assert policy.recovery_resolves == "unreported"
    assert (
        full(("resolves: unreported", "resolves: never")).recovery_resolves == "never"
    )


def test_a_newer_programs_fields_are_left_out_when_a_policy_is_read_back() -> None:
    policy = full()
    document = policy.document()
    document["tomorrow"] = 1
    document["desk"]["tomorrow"] = {"a": 1}
    document["escalation"]["functional"][0]["page"]["tomorrow"] = 1
    assert type(policy).from_document(document) == policy


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        full().desk.team = "other"  # type: ignore[misc] # that is what is refused
