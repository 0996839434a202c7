"""Managers are told of warnings and breaches, once each."""

from shared.domain.events.escalation import EscalationRaised
from shared.domain.events.incident import (
    IncidentAssigned,
    IncidentReopened,
    IncidentResolved,
)
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, local, valmont

PATIENT = valmont(("levels: {n1: 20m, n2: 50%}", "levels: {}"))
"""Nothing leaves the desk by itself."""


def test_a_warning_is_told_to_the_manager_once() -> None:
    search = Search(PATIENT)
    search.opened("09:10")

    assert search.warned("14:40") == [
        "14:40 ttr_warning to sylvie",
        "manager → sylvie",
    ]
    assert search.warned("14:41") == []  # after another target, say


def test_a_warning_read_late_is_of_the_instant_it_was_true() -> None:
    search = Search(PATIENT)
    search.opened("14:00")

    assert search.warned("14:55", warned_at=local("14:40"))[:1] == [
        "14:40 ttr_warning to sylvie"
    ]


def test_each_share_and_each_target_is_told_of_its_own() -> None:
    search = Search(
        valmont(
            ("on: [ttr_warning,", "on: [tto_warning, ttr_warning,"),
            ("levels: {n1: 20m, n2: 50%}", "levels: {}"),
        )
    )
    search.opened("09:10")

    assert search.warned("09:32", target="tto")[:1] == ["09:32 tto_warning to sylvie"]
    assert search.warned("14:40")[:1] == ["14:40 ttr_warning to sylvie"]
    assert search.warned("15:00", percent=90)[:1] == ["15:00 ttr_warning to sylvie"]


def test_what_the_policy_does_not_name_is_told_nobody() -> None:
    search = Search(PATIENT)
    search.opened("09:10")

    assert search.warned("09:32", target="tto") == []
    assert search.breached("09:40", target="tto") == []


def test_a_new_cycle_is_told_of_anew() -> None:
    search = Search(PATIENT)
    search.opened("09:10")
    search.warned("14:40")

    assert search.warned("16:00", cycle=2)[:1] == ["16:00 ttr_warning to sylvie"]


def test_a_warning_of_another_target_is_told_of_anew_and_once() -> None:
    search = Search(PATIENT)
    search.opened("09:10")
    search.warned("14:40")

    assert search.warned("15:40", retargets=1)[:1] == ["15:40 ttr_warning to sylvie"]
    assert search.warned("15:41", retargets=1) == []
    assert search.warned("16:40", retargets=2)[:1] == ["16:40 ttr_warning to sylvie"]


def test_each_time_before_and_after_is_told_of_its_own() -> None:
    search = Search(PATIENT)
    search.opened("09:10")

    before = search.warned("14:40", percent=None, before_seconds=1_800)
    after = search.warned("15:40", percent=None, after_seconds=1_800)

    assert before[:1] == ["14:40 ttr_warning to sylvie"]
    assert after[:1] == ["15:40 ttr_warning to sylvie"]
    raised = [each for each in search.said if isinstance(each, EscalationRaised)]
    assert [(each.before_seconds, each.after_seconds) for each in raised] == [
        (1_800, None),
        (None, 1_800),
    ]


def test_what_was_said_before_targets_were_counted_keeps_its_key() -> None:
    search = Search(PATIENT)
    search.opened("09:10")
    search.warned("14:40")

    (raised,) = [each for each in search.said if isinstance(each, EscalationRaised)]
    assert raised.key == f"{INCIDENT}.1.ttr_warning75.0"


def test_what_support_levels_owe_is_told_nobody_and_hands_nothing_over() -> None:
    search = Search(PATIENT)
    search.opened("09:10")

    assert search.breached("09:40", target="ola_n1_work") == []
    assert search.case.handover is None


def to_and_fro(search: Search, *teams: str) -> list[str]:
    """Give it to one team after another, a minute each; return who was told."""
    said: list[str] = []
    for minute, team in enumerate(teams, 10 + len(search.log)):
        said += search.happens(f"10:{minute}", IncidentAssigned, team=team, reason="x")
    return [line for line in said if "ping_pong" in line]


def test_what_goes_to_and_fro_is_told_once_when_it_is_enough() -> None:
    search = Search(PATIENT)
    search.opened("09:10")

    assert to_and_fro(search, "support", "desk") == []
    assert to_and_fro(search, "support") == ["10:13 ping_pong to sylvie"]
    assert to_and_fro(search, "desk", "support") == []
    (raised,) = (each for each in search.said if isinstance(each, EscalationRaised))
    assert (raised.returns, raised.key) == (2, f"{INCIDENT}.1.ping_pong.0")


def test_a_way_through_teams_that_had_it_not_is_no_return() -> None:
    search = Search(PATIENT)
    search.opened("09:10")

    assert to_and_fro(search, "support", "etudes", "problem", "problem") == []
    assert search.case.holders is not None
    assert search.case.holders.returns == 0


def test_what_climbs_by_itself_after_it_was_given_back_counts() -> None:
    search = Search()
    search.opened("09:10")
    search.passes("09:30")
    search.happens("09:40", IncidentAssigned, team="desk", reason="x")

    assert "10:00 ping_pong to sylvie" in search.passes("10:00")


def test_a_new_cycle_counts_anew() -> None:
    search = Search(PATIENT)
    search.opened("09:10")
    to_and_fro(search, "support", "desk", "support")
    search.happens("11:00", IncidentResolved, cycle=1)
    again = {"cycle": 2, "cause": "user", "after_closure": False}
    search.happens("11:10", IncidentReopened, **again)

    assert to_and_fro(search, "support", "desk") == []
