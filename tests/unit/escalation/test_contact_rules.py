"""Over which methods a page goes, and what follows if a message fails."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from services.escalation import process
from services.escalation.commands import decide_command
from services.escalation.rules.evolve import evolve
from shared.domain import events
from shared.domain.commands.escalation import DeclinePage
from shared.domain.contact_methods import (
    UNVERIFIED,
    ContactMethod,
    ContactMethods,
    plan,
    replay,
)
from shared.domain.contact_methods.plan import end_of_quiet
from shared.domain.events.contact_method import (
    ContactKind,
    NotificationRule,
    PersonContactMethodAdded,
    PersonContactMethodRemoved,
    PersonContactMethodVerified,
    PersonNotificationRulesSet,
    QuietHours,
)
from shared.domain.events.person import PersonEvent, PersonRemoved
from shared.messaging.commands import CommandRequest
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, local, valmont
from tests.unit.escalation.test_handover import NEW

AT = datetime(2025, 6, 30, 8, tzinfo=UTC)
COMMON = {"at": AT, "by": "person:bruno", "person": "bruno"}
UNTIL_0940 = {"start": "22:00", "end": "09:40", "zone": "Europe/Paris"}
NIGHT = QuietHours(start="22:00", end="07:00", zone="Europe/Paris")
ALWAYS_THE_MANAGER = valmont(
    ("{after: 30m, unless: accepted, page", "{after: 30m, page")
)


def reached(
    *kinds: ContactKind, mail: bool = True, rules: Mapping[str, object] | None = None
) -> ContactMethods:
    """Return verified methods of these kinds, called `bruno.<kind>`."""
    return ContactMethods(
        {
            "mail": ContactMethod("mail", "mail", is_verified=mail),
            **{
                f"bruno.{kind}": ContactMethod(f"bruno.{kind}", kind, is_verified=True)
                for kind in kinds
            },
        },
        PersonNotificationRulesSet.model_validate({**COMMON, **rules})
        if rules
        else None,
    )


def paged(methods: ContactMethods, **opened: str) -> tuple[Search, list[str]]:
    """Return the search in which bruno was just paged, at 09:30, and what was said."""
    search = Search(methods={"bruno": methods})
    search.opened("09:10", **opened)
    return search, search.passes("09:30")[2:]


def keys(search: Search) -> list[str]:
    return [e.key for e in search.said if isinstance(e, events.NotificationRequested)]


def test_without_rules_mail_and_the_loudest_method_go_first_and_others_follow() -> None:
    search, said = paged(reached("ntfy", "sms"))

    assert said == [
        "09:30 page bruno",
        "important plan of bruno: mail+bruno.sms+bruno.ntfy",
        "page → bruno",
        "page → bruno by bruno.sms",
    ]
    assert search.passes("09:34") == []
    assert search.passes("09:35") == ["page → bruno by bruno.ntfy"]


def test_who_accepts_is_not_notified_again() -> None:
    search, _ = paged(reached("ntfy", "sms"))
    search.happens("09:32", events.IncidentAcknowledged, by="person:bruno")

    assert [line for line in search.passes("12:00") if "bruno" in line] == []


def test_who_declines_is_not_notified_again() -> None:
    search, _ = paged(reached("ntfy", "sms"))
    request = CommandRequest[DeclinePage](
        incident=INCIDENT,
        actor="person:bruno",
        scopes=(),
        body=DeclinePage(page=f"{INCIDENT}.1.1.n2.0.1"),
    )
    known = search.desk.known
    for event in decide_command(request, search.case, local("09:32"), known):
        search.desk.record(event)

    said = search.passes("12:00")
    assert "09:32 page chloe" in said
    assert [line for line in said if "bruno" in line] == []


@pytest.mark.parametrize(
    ("failed", "follows"), [(False, []), (True, ["page → sylvie by bruno.ntfy"])]
)
def test_a_page_after_an_acceptance_goes_to_the_next_method_if_one_fails(
    failed: bool, follows: list[str]
) -> None:
    search = Search(ALWAYS_THE_MANAGER, methods={"sylvie": reached("ntfy", "sms")})
    search.opened("09:10")
    search.passes("09:51")
    search.happens("09:52", events.IncidentAcknowledged, by="person:chloe")
    assert "page → sylvie by bruno.sms" in search.passes("10:00")

    said = search.ends("10:01", keys(search)[-1], failed=failed)
    assert [*said[1:], *search.passes("10:14")] == follows


def test_a_page_that_quiet_hours_hold_back_is_sent_if_its_step_does_not_mind() -> None:
    quiet = {"quiet_hours": {**UNTIL_0940, "end": "10:20"}}
    search = Search(ALWAYS_THE_MANAGER, methods={"sylvie": reached("sms", rules=quiet)})
    search.opened("09:10", priority="p3", urgency="low")
    search.passes("10:19")
    search.happens("10:19", events.IncidentAcknowledged, by="person:chloe")

    assert [each for each in search.passes("10:25") if "sylvie" in each] == [
        "page → sylvie"
    ]


@pytest.mark.parametrize("answered", [False, True])
def test_a_hand_over_that_quiet_hours_hold_back_is_sent_if_it_awaits_an_answer(
    answered: bool,
) -> None:
    quiet = {"quiet_hours": {**UNTIL_0940, "end": "11:00"}}
    search = Search(methods={"helene": reached(rules=quiet)})
    search.opened("09:10")
    search.breached("10:00")
    if answered:
        search.happens("10:30", events.ProblemIdentified, **NEW)

    said = search.passes("11:00")
    assert ("handover → helene" in said) is not answered


@pytest.mark.parametrize("failed", [False, True])
def test_once_anybody_acknowledged_a_page_of_such_a_step_goes_no_further(
    failed: bool,
) -> None:
    policy = valmont(("after: 0m,", "after: 0m, unless: acknowledged,"))
    search = Search(policy, methods={"bruno": reached("ntfy", mail=False)})
    search.opened("09:10")
    assert search.passes("09:30")[-1] == "page → bruno by bruno.ntfy"
    search.happens("09:31", events.IncidentAcknowledged, by="person:nadia")

    said = search.ends("09:32", keys(search)[-2], failed=failed)
    assert [*said[1:], *search.passes("09:44")] == []


def test_if_a_message_fails_for_good_the_next_method_follows_at_once() -> None:
    search, _ = paged(reached("ntfy", "sms"))
    mail, sms = keys(search)[-2:]

    assert search.ends("09:31", sms, failed=True) == [
        "notification.failed",
        "page → bruno by bruno.ntfy",
    ]
    assert search.ends("09:31", mail, failed=False) == ["notification.confirmed"]


def test_if_all_messages_of_a_page_fail_the_manager_is_alarmed_once() -> None:
    search, _ = paged(reached("sms"))
    mail, sms = keys(search)[-2:]

    assert search.ends("09:31", mail, failed=True) == ["notification.failed"]
    assert search.ends("09:31", sms, failed=True) == [
        "notification.failed",
        "escalation.nobody_notified",
        "nobody_notified → sylvie",
    ]
    assert "escalation.nobody_notified" not in search.passes("09:40")


@pytest.mark.parametrize(
    ("seconds", "follows"), [(60, []), (61, ["page → bruno by bruno.ntfy"])]
)
def test_if_limits_hold_a_page_back_for_long_the_next_method_follows_at_once(
    seconds: int, follows: list[str]
) -> None:
    search, _ = paged(reached("ntfy", "sms"))
    sms = keys(search)[-1]

    said = search.throttles("09:31", sms, seconds=seconds)
    assert said == ["notification.throttled", *follows]


def test_if_limits_hold_back_all_that_is_left_of_a_page_the_manager_is_alarmed() -> (
    None
):
    search, _ = paged(reached("sms", mail=False))
    (sms,) = keys(search)[-1:]

    assert "escalation.nobody_notified" in search.throttles("09:31", sms, minutes=9)
    assert search.ends("09:40", sms, failed=False) == ["notification.confirmed"]


def test_a_page_that_limits_held_back_has_arrived_once_its_bundle_has() -> None:
    search, _ = paged(reached("sms"))
    mail, sms = keys(search)[-2:]
    search.throttles("09:31", sms, minutes=9)
    search.ends("09:40", sms, failed=False)

    assert search.ends("09:41", mail, failed=True) == ["notification.failed"]


def test_a_message_that_fails_after_it_was_confirmed_has_reached_nobody() -> None:
    search, _ = paged(reached("sms", mail=False))
    (sms,) = keys(search)[-1:]

    assert search.ends("09:31", sms, failed=False) == ["notification.confirmed"]
    assert "escalation.nobody_notified" in search.ends("09:33", sms, failed=True)


def test_of_two_messages_that_were_confirmed_one_may_fail() -> None:
    search, _ = paged(reached("sms"))
    mail, sms = keys(search)[-2:]
    for key in (mail, sms):
        search.ends("09:31", key, failed=False)

    assert search.ends("09:33", sms, failed=True) == ["notification.failed"]


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("p2", ["unreachable → sylvie"]), ("p3", ["default plan of sylvie: mail"])],
)
def test_an_alarm_is_held_back_by_quiet_hours_unless_the_incident_is_urgent(
    priority: str, expected: list[str]
) -> None:
    held = reached(rules={"quiet_hours": UNTIL_0940})
    search = Search(methods={"bruno": UNVERIFIED, "sylvie": held})
    search.opened("09:10", priority=priority)

    assert search.passes("09:30")[-1:] == expected


def test_quiet_hours_hold_back_no_message_that_nobody_is_left_to_page() -> None:
    held = reached(rules={"quiet_hours": {**UNTIL_0940, "end": "11:00"}})
    search = Search(methods={"sylvie": held}, with_exhaustions=True)
    search.opened("09:10", service="vpn")

    assert search.passes("10:30")[-2:] == ["escalation.exhausted", "manager → sylvie"]


def test_of_pages_that_quiet_hours_hold_back_the_newest_is_sent() -> None:
    held = reached(rules={"quiet_hours": {**UNTIL_0940, "end": "10:20"}})
    search = Search(methods={"sylvie": held})
    search.opened("09:10", service="vpn", priority="p3")
    search.happens("09:30", events.IncidentAssigned, team="support")
    said = search.passes("10:20")

    assert said.count("default plan of sylvie: mail") == 2
    assert said.count("page → sylvie") == 1


def test_a_message_to_follow_waits_while_service_is_back() -> None:
    search, _ = paged(reached("ntfy", "sms"))
    search.happens("09:32", events.IncidentRestored)
    assert search.passes("10:00") == []
    search.happens("10:32", events.IncidentRelapsed)

    assert search.passes("10:34") == []
    assert search.passes("10:35") == ["page → bruno by bruno.ntfy"]


def test_own_rules_repeat_a_message_until_somebody_accepts() -> None:
    rule = {"method": "bruno.sms", "repeat": 3, "every_seconds": 120}
    search, said = paged(reached("sms", rules={"important": [rule]}))

    assert said[1:] == [
        "important plan of bruno: bruno.sms+bruno.sms+bruno.sms",
        "page → bruno by bruno.sms",
    ]
    assert search.passes("09:40") == ["page → bruno by bruno.sms"] * 2
    assert len(set(keys(search))) == len(keys(search))


def test_quiet_hours_hold_back_no_important_page() -> None:
    _, said = paged(reached(rules={"quiet_hours": UNTIL_0940}))

    assert said[1:] == ["page → bruno"]


def test_quiet_hours_hold_back_any_other_page_until_they_end() -> None:
    search, said = paged(reached(rules={"quiet_hours": UNTIL_0940}), priority="p3")

    assert said[1:] == ["default plan of bruno: mail"]
    assert search.passes("09:39") == []
    assert search.passes("09:40") == ["page → bruno"]


def test_somebody_unverified_is_paged_by_mail_and_their_manager_hears_it_once() -> None:
    _, said = paged(UNVERIFIED)

    assert said == [
        "09:30 page bruno",
        "page → bruno",
        "escalation.unreachable",
        "unreachable → sylvie",
    ]
    again = Search(methods={"bruno": UNVERIFIED}, alarmed={"bruno"})
    again.opened("09:10")
    assert again.passes("09:30")[2:] == ["09:30 page bruno", "page → bruno"]


def test_other_notices_go_over_the_next_method_only_if_the_first_fails() -> None:
    rules = {"default": [{"method": "bruno.sms"}, {"method": "mail"}]}
    methods = reached("sms", rules=rules)
    both = ContactMethods(methods.methods, methods.rules)
    search = Search(methods={"sylvie": both})
    search.opened("09:10")
    said = search.warned("13:00", target="ttr")

    assert "default plan of sylvie: bruno.sms+mail" in said
    assert [line for line in said if "manager → sylvie" in line] == [
        "manager → sylvie by bruno.sms",
        "manager → sylvie",
    ]


def test_the_case_rebuilt_from_the_log_is_the_same() -> None:
    """What was decided is in the log: contact methods are not looked up again."""
    search, _ = paged(reached("ntfy", "sms"))
    search.passes("09:35")
    own = [event for _, _, event in search.desk.decided]
    rebuilt = Search(methods={"bruno": UNVERIFIED})
    rebuilt.desk.said.update(
        {(stream, version): event for stream, version, event in search.desk.decided}
    )
    rebuilt.opened("09:10")
    rebuilt.passes("09:35")

    assert rebuilt.case.planned == search.case.planned
    assert rebuilt.case.deliveries == search.case.deliveries
    assert rebuilt.desk.decided == []
    assert evolve(search.case, own[-1]).escalations == search.case.escalations + 1


def test_methods_follow_from_the_events_of_the_person() -> None:
    number = {**COMMON, "method": "bruno.1"}
    history: list[PersonEvent] = [
        PersonContactMethodAdded(**number, kind="sms"),
        PersonContactMethodVerified(**number),
        PersonContactMethodVerified(**COMMON, method="mail"),
    ]
    assert [each.id for each in replay(history).verified()] == ["mail", "bruno.1"]

    history.append(PersonContactMethodRemoved(**number))
    assert [each.id for each in replay(history).verified()] == ["mail"]

    history.append(PersonRemoved(**COMMON))
    assert replay(history) == UNVERIFIED


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("21:59", None),
        ("22:00", "07-01 07:00"),
        ("07-01 06:59", "07-01 07:00"),
        ("07-01 07:00", None),
    ],
)
def test_quiet_hours_go_over_midnight(at: str, end: str | None) -> None:
    assert end_of_quiet(NIGHT, local(at)) == local(end or at)


def test_a_rule_for_a_method_that_was_removed_leaves_the_standard() -> None:
    gone = {"important": [{"method": "bruno.9"}]}
    found = plan(reached("voice", rules=gone), "important", AT)

    assert found is not None
    assert [each.method.id for each in found.attempts] == ["mail", "bruno.voice"]


def test_delays_count_from_the_page() -> None:
    rules = {
        "important": [
            NotificationRule(method="mail", delay_seconds=60).model_dump(),
            NotificationRule(method="bruno.sms").model_dump(),
        ]
    }
    found = plan(reached("sms", rules=rules), "important", AT)

    assert found is not None
    assert [(each.method.id, each.due_at - AT) for each in found.attempts] == [
        ("bruno.sms", timedelta()),
        ("mail", timedelta(minutes=1)),
    ]


def test_how_a_person_is_reached_is_read_once_in_a_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Sequence[str]] = []

    def read(_: object, people: Sequence[str]) -> Mapping[str, ContactMethods]:
        asked.append(people)
        return dict.fromkeys(people, UNVERIFIED)

    monkeypatch.setattr(process, "contact_methods_of", read)
    methods_of = process.methods_of(cast(Any, None))

    assert set(methods_of(["bruno"])) == {"bruno"}
    assert set(methods_of(["bruno", "chloe"])) == {"bruno", "chloe"}
    assert asked == [["bruno"], ["chloe"]]
