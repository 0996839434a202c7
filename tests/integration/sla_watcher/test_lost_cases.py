"""What the watcher remembers is its own: emptied, it comes back from the log."""

import pytest

from services.sla_watcher.app import casework
from services.sla_watcher.decider import decide
from shared.domain.commands.policy_moves import MovePromises
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentInformed,
    IncidentPaused,
    IncidentResumed,
)
from shared.process_manager.process import ProcessManager
from shared.process_manager.worker import CaseBehindLog
from tests.support.builders.promises import FILE, local
from tests.support.desks.watching import MINUTE, SlaDesk, happened, opened

pytestmark = pytest.mark.servers


def a_morning(desk: SlaDesk) -> None:
    """One incident: warned, acknowledged too late, paused, going on."""
    desk.happens(opened(1, desk.now, reporter="roche", by="person:roche"))
    desk.walk(local("09:35"))
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    desk.walk(local("09:50"))
    desk.happens(
        happened(IncidentPaused, 1, desk.now, reason="user", question="Laquelle ?")
    )
    desk.walk(local("10:20"))
    desk.happens(happened(IncidentResumed, 1, desk.now, cause="reply"))
    desk.walk(local("10:30"))


@pytest.mark.parametrize("batch", [1, 2, 3, 200])
def test_a_memory_made_anew_is_the_one_that_was_and_says_nothing_twice(
    desk: SlaDesk, batch: int
) -> None:
    a_morning(desk)
    cases, said = desk.cases(), desk.said()

    desk.forget()
    desk.read(batch=batch)

    assert "tto breached" in desk.types()
    assert desk.cases() == cases
    assert desk.said() == said


def test_a_memory_made_anew_goes_on_where_it_was(desk: SlaDesk) -> None:
    a_morning(desk)
    desk.forget()

    desk.walk(local("18:00"))

    assert desk.types().count("tto breached") == 1
    assert desk.types()[-3:] == ["update breached", "ttr warned", "ttr breached"]


def test_a_move_to_another_policy_is_remembered_and_done_once(desk: SlaDesk) -> None:
    a_morning(desk)
    text = FILE.read_text(encoding="utf-8").replace("p2: 6h", "p2: 5h")
    desk.applies(text)
    wish = MovePromises(to=2, operation="july", reason="Avenant")
    assert desk.moves(wish) is not None
    desk.walk(local("11:00"))
    cases, said = desk.cases(), desk.said()

    desk.forget()
    with pytest.raises(CaseBehindLog):
        desk.moves(wish)
    desk.read(batch=3)

    assert desk.moves(wish) is None
    assert (desk.cases(), desk.said()) == (cases, said)
    assert [each for each in desk.types() if "moved" in each] == ["all promises.moved"]
    assert desk.types().count("ttr retargeted") == 1


def test_a_timer_that_comes_while_the_memory_is_made_decides_nothing(
    desk: SlaDesk,
) -> None:
    a_morning(desk)
    said = desk.said()
    desk.forget()

    assert desk.read_some(2) == ["policy-desk", "incident-INC-000001"]
    woken = desk.worker.wake()

    assert (woken.due, woken.behind) == (1, 1)
    assert desk.said() == said
    desk.read()
    assert desk.said() == said


def test_what_was_decided_stands_though_today_s_rules_would_have_it_otherwise(
    desk: SlaDesk,
) -> None:
    a_morning(desk)
    said = desk.said()
    house = casework(desk.log)
    silent = ProcessManager(
        **{name: getattr(house, name) for name in house.__dataclass_fields__}
        | {
            "decide": lambda case, until, at, policies: [
                event
                for event in decide(case, until, at, policies)
                if event.type != "sla.warned"
            ]
        }
    )
    desk.forget()

    desk.read(desk.another(silent))

    assert desk.said() == said
    versions = desk.cases()[0][2]
    assert versions["sla-INC-000001"] == len(said)


def test_a_memory_of_yesterday_learns_what_was_decided_since(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    desk.walk(local("09:10"))
    desk.tell("CREATE TABLE sla.yesterday AS TABLE sla.cases")
    desk.tell("CREATE TABLE sla.then AS TABLE sla.tracking")
    desk.walk(local("09:31"))
    desk.happens(happened(IncidentInformed, 1, desk.now, message="On cherche"))
    desk.walk(local("09:31") + MINUTE)
    cases, said = desk.cases(), desk.said()

    desk.forget()
    desk.tell("INSERT INTO sla.cases TABLE sla.yesterday")
    desk.tell("INSERT INTO sla.tracking TABLE sla.then")
    desk.read()

    assert "tto breached" in desk.types()
    assert (desk.cases(), desk.said()) == (cases, said)
