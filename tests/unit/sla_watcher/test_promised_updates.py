"""What keeps a promise to inform: a message that arrived, or a person's word."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.decider import decide
from shared.domain import events
from shared.process_manager.process import Desk
from tests.support.builders.promises import INCIDENT, Watch, brief, local, watching

_ADAPTER = TypeAdapter(Case)
_FIELDS_OF_DELIVERIES = ("heard_at", "messages", "unheard_at")


def reported(mails: Any = "wait") -> Watch:
    """Return a P2 of Roche's: its users hear of it within two hours."""
    watch = Watch(mails=mails)
    assert "update armed 11:10" in watch.opened("09:10")
    return watch


def called(watch: Watch, when: str, **words: Any) -> list[str]:
    """Let the desk call somebody: Roche, unless said otherwise."""
    contact = {"person": "roche", "direction": "outbound", "channel": "phone"}
    given = {**contact, "contacted_at": local(when), **words}
    return watch.happens(when, events.IncidentContacted, **given)


def of_updates(said: list[str]) -> list[str]:
    return [each for each in said if each.startswith("update")]


WORK = [
    (events.IncidentAcknowledged, {}),
    (events.IncidentInformed, {"message": "On cherche."}),
    (events.IncidentRestored, {}),
    (events.IncidentPaused, {"reason": "vendor"}),
]


@pytest.mark.parametrize(("kind", "words"), WORK)
def test_what_the_desk_does_is_no_news_to_anybody_as_long_as_no_message_arrives(
    kind: type[Any], words: dict[str, Any]
) -> None:
    watch = reported("fail")

    assert of_updates(watch.happens("09:14", kind, **words)) == []
    assert of_updates(watch.passes("12:00")) == ["update breached 11:10"]


def test_a_message_keeps_it_at_the_instant_at_which_it_arrives() -> None:
    watch = reported()
    watch.happens("09:14", events.IncidentAcknowledged)
    key = watch.requested("09:14", "taken")

    assert watch.passes("09:20") == []
    assert watch.delivered("09:20", key) == ["update met 09:20", "update armed 11:20"]


def test_one_that_arrives_after_it_was_due_is_too_late() -> None:
    watch = reported()
    watch.happens("11:05", events.IncidentInformed, message="On cherche.")
    key = watch.requested("11:05", "update")

    assert of_updates(watch.passes("11:30")) == ["update breached 11:10"]
    assert watch.delivered("11:30", key) == [
        "update overran 11:30",
        "update armed 13:30",
    ]


def test_a_delivery_that_is_read_late_counts_at_its_instant() -> None:
    watch = reported()
    watch.happens("11:05", events.IncidentInformed, message="On cherche.")
    watch.delivered("11:06", watch.requested("11:05", "update"))
    late = taken(Desk(INCIDENT, watching(), watch.desk.known, None, {}), watch)

    assert of_updates(said_by(late))[-2:] == ["update met 11:06", "update armed 13:06"]


def test_the_first_of_its_users_who_hears_counts_for_all() -> None:
    watch = reported()
    contact = {"person": "costa", "direction": "inbound", "channel": "email"}
    watch.happens(
        "09:12", events.IncidentContacted, **contact, contacted_at=local("09:12")
    )
    watch.happens("09:14", events.IncidentAcknowledged)
    to_roche = watch.requested("09:14", "taken", "roche")
    to_costa = watch.requested("09:14", "taken", "costa")

    assert watch.failed("09:14", to_roche) == []
    assert of_updates(watch.delivered("09:15", to_costa))[0] == "update met 09:15"


@pytest.mark.parametrize(
    ("kind", "person"),
    [("receipt", "roche"), ("reopened", "roche"), ("extension", "boss-of-roche")],
)
def test_a_receipt_and_a_message_to_somebody_else_are_no_news_to_its_users(
    kind: events.Kind, person: str
) -> None:
    watch = reported()

    assert watch.delivered("09:15", watch.requested("09:14", kind, person)) == []


@pytest.mark.parametrize(
    ("words", "keeps_it"),
    [({}, True), ({"person": "vendor"}, False), ({"abandoned": True}, False)],
)
def test_a_person_s_word_that_they_told_a_user_keeps_it(
    words: dict[str, Any], keeps_it: bool
) -> None:
    watch = reported("fail")

    met = ["update met 09:20", "update armed 11:20"] if keeps_it else []
    assert called(watch, "09:20", **words) == met


def test_a_message_from_before_it_was_resolved_does_not_say_so() -> None:
    watch = reported()
    watch.happens("09:59", events.IncidentInformed, message="On cherche.")
    earlier = watch.requested("09:59", "update")
    watch.happens("10:00", events.IncidentResolved, cycle=1)
    key = watch.requested("10:00", "resolved")
    other = watch.requested("10:10", "problem_workaround")

    assert watch.delivered("10:00", earlier) == []
    assert watch.delivered("10:10", other) == []
    assert watch.delivered("10:30", key) == ["update met 10:30"]


def test_one_that_arrived_in_the_second_of_the_resolution_does_not_say_so() -> None:
    watch = reported()
    watch.happens("09:59", events.IncidentInformed, message="On cherche.")
    arrived = watch.delivered("10:00", watch.requested("09:59", "update"))
    assert of_updates(arrived)[0] == "update met 10:00"
    watch.happens("10:00", events.IncidentResolved, cycle=1)
    key = watch.requested("10:00", "resolved")

    assert watch.passes("10:29") == []
    assert watch.delivered("10:30", key) == ["update met 10:30"]


def test_one_message_to_many_users_keeps_one_promise() -> None:
    watch = reported()
    contact = {"person": "costa", "direction": "inbound", "channel": "email"}
    watch.happens(
        "09:12", events.IncidentContacted, **contact, contacted_at=local("09:12")
    )
    watch.happens("09:14", events.IncidentInformed, message="On cherche.")
    to_roche = watch.requested("09:14", "update", "roche")
    to_costa = watch.requested("09:14", "update", "costa")

    said = watch.delivered("09:15", to_roche)
    assert said == ["update met 09:15", "update armed 11:15"]
    assert watch.delivered("09:16", to_costa) == []


def test_what_arrives_while_it_is_merged_keeps_nothing() -> None:
    watch = reported()
    watch.happens("09:25", events.IncidentInformed, message="On cherche.")
    key = watch.requested("09:25", "update")
    watch.happens("09:26", events.IncidentMerged, into="INC-000001")

    assert watch.delivered("09:30", key) == []
    parted = {"out_of": "INC-000001", "signals": {}}
    assert of_updates(watch.happens("09:40", events.IncidentUnmerged, **parted)) == [
        "update continued 09:40"
    ]


def test_a_reopening_ends_the_promise_of_before() -> None:
    watch = reported()
    watch.happens("10:00", events.IncidentResolved, cycle=1)
    watch.requested("10:00", "resolved")
    words = {"cycle": 2, "cause": "user", "after_closure": False}

    assert of_updates(watch.happens("10:05", events.IncidentReopened, **words)) == [
        "update armed 12:05",
        "update cancelled 10:05",
    ]
    assert of_updates(watch.passes("12:00")) == []


def test_what_was_promised_again_counts_from_then() -> None:
    watch = reported()
    raised = {"service": "paie", "impact": "high", "urgency": "medium"}
    watch.passes("11:20")
    watch.happens("11:30", events.IncidentClassified, **raised, priority="p4")
    called(watch, "12:00")

    said = watch.happens("16:00", events.IncidentClassified, **raised, priority="p2")
    assert of_updates(said) == ["update armed 18:00"]


def test_a_message_from_before_anything_was_promised_keeps_nothing() -> None:
    """A case of an earlier version does not know of it, and one rebuilt would."""
    watch = Watch(mails="wait")
    watch.opened("09:10", priority="p4")
    watch.happens("09:14", events.IncidentInformed, message="On cherche.")
    key = watch.requested("09:14", "update")
    raised = {"service": "paie", "impact": "high", "urgency": "medium"}
    watch.happens("10:00", events.IncidentClassified, **raised, priority="p2")

    assert watch.delivered("10:30", key) == []


def test_what_is_promised_only_later_counts_from_then() -> None:
    watch = Watch(mails="wait")
    watch.opened("09:10", priority="p4")
    raised = {"service": "paie", "impact": "high", "urgency": "medium"}

    said = watch.happens("15:00", events.IncidentClassified, **raised, priority="p2")
    assert of_updates(said) == ["update armed 17:00"]


def test_resolved_it_runs_on_until_a_user_hears_so() -> None:
    watch = reported()
    watch.happens("10:00", events.IncidentResolved, cycle=1)
    key = watch.requested("10:00", "resolved")

    assert watch.passes("10:30") == []
    assert watch.delivered("10:30", key) == ["update met 10:30"]


def test_resolved_and_heard_of_within_the_second_of_the_message_before() -> None:
    watch = reported("arrive")
    watch.happens("10:00", events.IncidentRestored)

    assert of_updates(watch.happens("10:00", events.IncidentResolved, cycle=1)) == [
        "update met 10:00"
    ]


def test_resolved_while_no_message_arrives_it_can_be_broken() -> None:
    watch = reported()
    watch.happens("10:00", events.IncidentResolved, cycle=1)
    watch.requested("10:00", "resolved")

    assert watch.passes("12:00")[-1] == "update breached 11:10"


def test_resolved_it_is_cancelled_once_no_message_can_arrive() -> None:
    watch = reported()
    watch.happens("10:00", events.IncidentResolved, cycle=1)
    first = watch.requested("10:00", "resolved")
    second = watch.requested("10:00", "resolved")

    assert watch.failed("10:01", first) == []
    assert watch.failed("10:02", second) == ["update cancelled 10:02"]
    (clock,) = watch.clocks("update")
    assert clock.cancelled_for == "resolved"


def test_closed_it_is_cancelled_as_well() -> None:
    watch = reported()
    watch.happens("10:00", events.IncidentResolved, cycle=1)

    assert watch.happens("10:30", events.IncidentClosed) == ["update cancelled 10:30"]


def test_broken_before_it_is_over_once_no_message_can_arrive() -> None:
    watch = reported("fail")
    watch.passes("11:30")

    said = watch.happens("12:00", events.IncidentResolved, cycle=1)
    assert of_updates(said) == ["update overran 12:00"]


def test_reopened_it_is_promised_from_there_and_no_older_message_keeps_it() -> None:
    watch = reported()
    watch.happens("10:00", events.IncidentResolved, cycle=1)
    key = watch.requested("10:00", "resolved")
    reopened = {"cycle": 2, "cause": "user", "after_closure": False}
    said = watch.happens("10:05", events.IncidentReopened, **reopened)

    assert "update armed 12:05" in said
    assert watch.delivered("10:06", key) == []
    assert watch.delivered("10:07", watch.requested("10:07", "resolved")) == []


def without_deliveries(event: events.SlaEvent) -> events.SlaEvent:
    """Return an event as earlier versions recorded it."""
    if isinstance(event, events.SlaArmed):
        return event.model_copy(update={"kept_by": None})
    return event


def test_a_promise_of_an_earlier_version_ends_by_its_rule_and_the_next_by_this() -> (
    None
):
    watch = reported("fail")
    assert watch.desk.case is not None
    state = _ADAPTER.dump_python(watch.desk.case, mode="json")
    for clock in state["clocks"]:
        del clock["kept_by"]
    for name in _FIELDS_OF_DELIVERIES:
        del state[name]
    watch.desk.case = _ADAPTER.validate_python(state)

    said = watch.happens("09:14", events.IncidentAcknowledged)
    assert of_updates(said) == ["update met 09:14", "update armed 11:14"]
    said = watch.happens("10:00", events.IncidentInformed, message="On cherche.")
    assert said == []
    assert called(watch, "10:05")[0] == "update met 10:05"


def test_what_an_earlier_version_decided_is_not_decided_again() -> None:
    watch = reported()
    watch.happens("09:14", events.IncidentAcknowledged)
    watch.delivered("09:20", watch.requested("09:14", "taken"))
    watch.happens("10:00", events.IncidentInformed, message="On cherche.")
    watch.failed("10:01", watch.requested("10:00", "update"))
    earlier = replace(
        watching(),
        decide=lambda *given: [without_deliveries(each) for each in decide(*given)],
    )
    then = taken(Desk(INCIDENT, earlier, watch.desk.known, None, {}), watch)
    today = Desk(INCIDENT, watching(), watch.desk.known, None, {})
    today.said = {(stream, version): event for stream, version, event in then.decided}

    assert taken(today, watch).decided == []
    assert today.versions == then.versions
    assert of_updates(said_by(then))[-3:] == [
        "update armed 11:14",
        "update met 10:00",
        "update armed 12:00",
    ]


def taken(desk: Desk[Case, PolicyOf], watch: Watch) -> Desk[Case, PolicyOf]:
    """Let a watcher read everything that happened, late."""
    for entry in watch.log:
        desk.take(entry, local("18:00"))
    return desk


def said_by(desk: Desk[Case, PolicyOf]) -> list[str]:
    return [brief(each) for *_, each in desk.decided if events.is_sla_event(each)]
