"""What is committed is counted, told by its place and never by its words."""

from uuid import UUID

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.intake.commands.pending_command import PendingCommand
from services.intake.signals.schemas import Result
from services.intake.telemetry import CommitObserver
from shared.domain.commands.incident import Inform
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, CommandRequest


def inform() -> PendingCommand:
    wish = Inform(message="Mrs Lefèvre's payslip is wrong")
    request = CommandRequest[Inform](
        incident="INC-000001",
        actor="person:nadia",
        scopes=("agent",),
        command_id=UUID(int=7),
        body=wish,
    )
    return PendingCommand(request, b"")


ANSWER = CommandAnswer(
    outcome="recorded", incident="INC-000001", version=2, positions=[3]
)


def test_a_command_is_told_by_incident_position_and_id_and_without_words() -> None:
    with capture_logs() as lines:
        CommitObserver(CollectorRegistry(), lambda: None).commands([inform()], [ANSWER])

    (line,) = lines
    assert (line["record"], line["position"]) == ("INC-000001", 3)
    assert line["command_id"] == str(UUID(int=7))
    assert "payslip" not in str(line)


def test_outcomes_are_counted() -> None:
    registry = CollectorRegistry()
    noting = CommitObserver(registry, lambda: None)
    noting.signals([], [[Result(0, "opened", position=2), Result(1, "duplicate")]])
    noting.commands([inform()] * 2, [ANSWER, HttpError(409, "no", code="state")])

    def count(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"permanence_{name}_total", labels)

    assert count("signals", status="opened") == 1
    assert count("signals", status="duplicate") == 1
    assert count("commands", verb="inform", outcome="recorded") == 1
    assert count("commands", verb="inform", outcome="state") == 1


def test_the_relay_is_woken_by_what_was_appended_only() -> None:
    woken: list[bool] = []
    noting = CommitObserver(CollectorRegistry(), lambda: woken.append(True))

    noting.signals([], [[Result(0, "duplicate")], HttpError(503, "away")])
    assert woken == []
    noting.signals([], [[Result(0, "opened", position=2)]])
    noting.commands([inform()], [ANSWER])
    assert woken == [True, True]
