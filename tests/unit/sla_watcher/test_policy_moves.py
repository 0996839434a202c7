"""Promises move to another policy: from the original start, with all that was."""

from dataclasses import replace

import pytest

from services.sla_watcher.policy_moves.rules import (
    differences,
    is_for,
    moved,
    require_may_move,
)
from shared.domain import events
from shared.domain.commands.policy_moves import MovedPromise, MovePromises
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.domain.sla import State
from shared.messaging.commands import CommandRequest
from tests.support.builders.promises import VALMONT, Watch, local, shown, valmont

FIVE = valmont(("p2: 6h", "p2: 5h"))
TEN = valmont(("p2: 6h", "p2: 10h"))
NO_UPDATES = valmont(("update: {p1: 30m, p2: 2h, p3: 8h} ", "update: {p1: 30m} "))
WISH = MovePromises(to=2, operation="july", reason="Avenant de juillet")


def watch(second: Policy = FIVE) -> Watch:
    watching = Watch(policies={1: VALMONT, 2: second})
    watching.opened("09:10")
    watching.happens("09:14", events.IncidentAcknowledged)
    return watching


def moves(watching: Watch, when: str, wish: MovePromises = WISH) -> list[MovedPromise]:
    """Move its promises, as a manager would; return the differences."""
    at = local(when)
    watching.desk.reach(at, at)
    before = watching.desk.case
    assert before is not None
    for event in moved(wish, before, "person:sylvie", at):
        watching.desk.record(event)
    watching.desk.reach(at, at)
    assert watching.desk.case is not None
    return list(differences(before, watching.desk.case))


def of(told: list[MovedPromise], target: str) -> MovedPromise:
    return next(each for each in told if each.target == target)


def test_a_target_is_made_anew_from_the_original_start() -> None:
    watching = watch()

    ttr = of(moves(watching, "10:00"), "ttr")

    assert (ttr.change, ttr.was_seconds, ttr.seconds) == ("retargeted", 21_600, 18_000)
    assert (shown(ttr.was_due_at), shown(ttr.due_at)) == ("15:10", "14:10")
    assert watching.clock("ttr").policy == 2
    assert watching.passes("14:10:01")[-1] == "ttr breached 14:10"


def test_what_is_promised_alike_is_kept_as_it_is() -> None:
    told = moves(watch(), "10:00")

    assert of(told, "update").change == "kept"
    assert not any(each.target == "tto" for each in told)


def test_times_it_stood_are_kept() -> None:
    watching = watch()
    watching.happens("10:20", events.IncidentPaused, reason="user", question="Lequel ?")
    watching.happens("11:20", events.IncidentResumed, cause="reply")

    assert shown(of(moves(watching, "11:30"), "ttr").due_at) == "15:10"


def test_while_it_stands_nothing_is_due_and_the_new_target_counts_afterwards() -> None:
    watching = watch()
    watching.happens("10:20", events.IncidentPaused, reason="user", question="Lequel ?")

    ttr = of(moves(watching, "11:00"), "ttr")
    assert (ttr.seconds, ttr.due_at) == (18_000, None)
    assert watching.passes("18:00") == []

    watching.happens("11:20", events.IncidentResumed, cause="reply")
    assert shown(watching.clock("ttr").due_at) == "15:10"


def test_what_users_agreed_to_is_kept() -> None:
    watching = watch()
    ref = watching.proposes("09:30", "07-03 12:00")
    watching.accepts("09:40", ref)

    ttr = of(moves(watching, "10:00"), "ttr")

    clock = watching.clock("ttr")
    assert (clock.original_seconds, shown(clock.due_at)) == (18_000, "07-03 12:00")
    assert ttr.change == "retargeted"


def test_a_breach_stays_whatever_the_other_policy_promises() -> None:
    watching = watch(TEN)
    watching.passes("15:11")

    ttr = of(moves(watching, "15:30"), "ttr")

    assert (ttr.change, ttr.breached_at_once) == ("stays_breached", False)
    clock = watching.clock("ttr")
    assert (clock.state, clock.seconds, clock.policy) == (State.BREACHED, 21_600, 1)
    watching.happens("16:10", events.IncidentRestored)
    late = [each for each in watching.said if isinstance(each, events.SlaOverran)]
    (overran,) = [each for each in late if each.target == "ttr"]
    assert (overran.policy, overran.overrun_seconds) == (1, 3_600)


def test_more_time_than_the_other_policy_promises_breaks_it_at_once() -> None:
    watching = watch()

    ttr = of(moves(watching, "14:40"), "ttr")

    assert ttr.breached_at_once
    assert shown(watching.clock("ttr").breached_at) == "14:40"


def test_what_the_other_policy_does_not_promise_is_cancelled() -> None:
    update = of(moves(watch(NO_UPDATES), "10:00"), "update")

    assert (update.change, update.seconds) == ("cancelled", None)


def test_a_target_only_the_other_policy_promises_is_armed() -> None:
    watching = Watch(policies={1: NO_UPDATES, 2: VALMONT})
    watching.opened("09:10")

    assert of(moves(watching, "10:00"), "update").change == "armed"


def test_what_was_cancelled_goes_on_when_it_is_moved_back() -> None:
    watching = watch(NO_UPDATES)
    moves(watching, "10:00")
    moves(watching, "10:30", MovePromises(to=1, operation="back", reason="Non"))

    update = watching.clocks("update")[-1]
    assert (update.state, shown(update.due_at)) == (State.RUNNING, "11:14")


def test_each_incident_is_moved_once_by_a_move() -> None:
    watching = watch()
    moves(watching, "10:00")
    back = MovePromises(to=1, operation="back", reason="Non")

    moves(watching, "10:10", WISH)
    assert _said(watching) == 1
    moves(watching, "10:20", back)
    moves(watching, "10:30", WISH)

    assert _said(watching) == 2
    assert watching.clock("ttr").policy == 1


def test_only_what_a_move_is_for_is_moved() -> None:
    watching = watch()
    for words in ({"service": "vpn"}, {"contract": "boreale"}, {"to": 1}):
        moves(watching, "10:00", WISH.model_copy(update=words))
    assert _said(watching) == 0

    moves(watching, "10:00", WISH.model_copy(update={"contract": "valmont"}))
    assert _said(watching) == 1


def test_what_comes_later_is_promised_by_the_policy_it_was_moved_to() -> None:
    watching = watch()
    moves(watching, "10:00")
    watching.happens("10:20", events.IncidentPaused, reason="user", question="Lequel ?")
    watching.happens("10:30", events.IncidentResumed, cause="reply")

    assert watching.clock("update", round_=3).policy == 2


def test_what_only_the_other_policy_owes_counts_from_the_move() -> None:
    levels = "levels: {n1: 20m, n2: 50%}"
    owing = valmont((levels, f"{levels}\n    ola: {{n1: {{work: 30m}}}}"))
    watching = watch(owing)

    owed = of(moves(watching, "12:00"), "ola_n1_work")

    assert (owed.change, shown(owed.due_at)) == ("armed", "12:30")
    assert not owed.breached_at_once


def test_a_narrower_promise_is_of_its_contract() -> None:
    own = "targets: standard, may_agree: [reporter, dsi-valmont]"
    users = "{users: {when: {kind: [user]}, targets: standard}}"
    first = valmont((own, f"{own}, also: {users}"))
    watching = Watch(policies={1: first, 2: FIVE})
    watching.opened("09:10")
    case = watching.desk.case
    assert case is not None
    only = [replace(each, contract="valmont.users") for each in case.clocks]
    narrower = replace(case, clocks=tuple(only))

    asked = [WISH.model_copy(update={"contract": c}) for c in ("valmont", "boreale")]

    assert [is_for(narrower, each) for each in asked] == [True, False]


@pytest.mark.parametrize(
    ("actor", "scopes"),
    [("person:paul", ("agent",)), ("system:billing", ("admin",))],
)
def test_it_takes_a_manager(actor: str, scopes: tuple[str, ...]) -> None:
    request = CommandRequest[MovePromises](actor=actor, scopes=scopes, body=WISH)

    with pytest.raises(Refused, match="desk-manager"):
        require_may_move(request)


def _said(watching: Watch) -> int:
    decided = watching.desk.decided
    return sum(isinstance(event, events.PromisesMoved) for _, _, event in decided)
