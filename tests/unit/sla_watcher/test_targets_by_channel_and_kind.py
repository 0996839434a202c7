"""What is promised also for how an incident was reported: on which channel, by whom."""

from typing import Any

from shared.domain.events.incident import IncidentClassified, IncidentContacted
from shared.domain.incident.state import Noticed
from shared.domain.sla import promised
from tests.support.builders.promises import Watch, local, shown, valmont

MONITORED = {"reporter": None, "origin": "monitoring", "by": "source:prometheus"}
_VALMONT = "targets: standard, may_agree: [reporter, dsi-valmont]"
_VIP = """
  vip:
    tto: {p1: 5m, p2: 10m, p3: 1h, p4: 2h}
    ttr: {p1: 2h, p2: 3h, p3: 6h, p4: 20h}
  slow:
    tto: {p1: 1h, p2: 2h, p3: 4h, p4: 8h}
    ttr: {p1: 8h, p2: 9h, p3: 20h, p4: 90h}
services:"""


def also(promises: str) -> Watch:
    """Return a watch under a contract of Valmont that promises that as well."""
    policy = valmont((_VALMONT, f"{_VALMONT}, also: {promises}"), ("\nservices:", _VIP))
    return Watch(policy)


BY_PHONE = "{phone: {when: {channel: [phone]}, targets: vip}}"
BY_USERS = "{users: {when: {kind: [user]}, targets: vip}}"


def contacted(watch: Watch, when: str, **words: Any) -> list[str]:
    given = {
        "person": "roche",
        "direction": "inbound",
        "channel": "phone",
        "contacted_at": local(when),
    }
    return watch.happens(when, IncidentContacted, **(given | words))


def test_who_calls_is_promised_what_the_contract_promises_on_the_phone() -> None:
    watch = also(BY_PHONE)

    watch.opened("09:10", channel="phone")

    ttr = watch.clock("ttr")
    assert (ttr.contract, ttr.seconds) == ("valmont.phone", 3 * 3_600)
    assert ttr.candidates == ("valmont", "valmont.phone")
    assert watch.clock("update").contract == "valmont"


def test_who_writes_is_not() -> None:
    watch = also(BY_PHONE)

    watch.opened("09:10", channel="email")

    assert watch.clock("ttr").candidates == ("valmont",)


def test_a_user_who_reports_what_monitoring_opened_changes_what_is_promised() -> None:
    watch = also(BY_USERS)
    watch.opened("09:10", **MONITORED)
    assert shown(watch.clock("ttr").due_at) == "15:10"

    assert contacted(watch, "09:25") == [
        "update armed 11:25",
        "tto retargeted 09:25",
        "ttr retargeted 09:25",
        "tto breached 09:25",
    ]
    assert shown(watch.clock("ttr").due_at) == "12:10"


def test_the_first_channel_of_a_user_counts_and_no_later_one() -> None:
    watch = also(BY_PHONE)
    watch.opened("09:10", channel="email")

    assert contacted(watch, "09:20") == []
    assert watch.clock("ttr").contract == "valmont"


def test_who_is_not_confirmed_as_a_reporter_changes_nothing() -> None:
    watch = also(BY_USERS)
    watch.opened("09:10", **MONITORED)

    assert contacted(watch, "09:15", unconfirmed=True) == []
    assert contacted(watch, "09:16", direction="outbound") == []


def test_an_opening_that_does_not_tell_its_channel_learns_it_from_the_contact() -> None:
    watch = also(BY_PHONE)
    watch.opened("09:10")

    assert contacted(watch, "09:10")[-1] == "ttr retargeted 09:10"


def test_all_that_a_rule_says_must_be_so() -> None:
    watch = also("{x: {when: {kind: [user], priority: [p1]}, targets: vip}}")
    watch.opened("09:10")
    assert watch.clock("ttr").candidates == ("valmont",)

    raised = watch.happens(
        "09:20",
        IncidentClassified,
        service="paie",
        impact="high",
        urgency="high",
        priority="p1",
    )

    assert "ttr retargeted 09:20" in raised
    assert watch.clock("ttr").contract == "valmont.x"


def test_a_narrower_promise_that_asks_for_less_never_counts() -> None:
    watch = also("{users: {when: {kind: [user]}, targets: slow}}")

    watch.opened("09:10")

    assert watch.clock("ttr").contract == "valmont"
    assert watch.clock("ttr").candidates == ("valmont", "valmont.users")


def test_of_equal_promises_the_first_by_name_counts() -> None:
    watch = also(
        "{b: {when: {kind: [user]}, targets: vip},"
        " a: {when: {channel: [phone]}, targets: vip}}"
    )

    watch.opened("09:10", channel="phone")

    assert watch.clock("ttr").contract == "valmont.a"
    assert watch.clock("ttr").candidates == ("valmont", "valmont.a", "valmont.b")


def test_a_narrower_promise_begins_and_ends_on_days_of_its_own() -> None:
    policy = also(
        "{users: {when: {kind: [user]}, targets: vip,"
        " from: 2025-06-20, until: 2025-07-01}}"
    ).policy
    by = [
        promised(policy, "paie", None, "p2", local(when), Noticed("user"))["ttr"]
        for when in ("19 23:59", "20 00:00", "23:59", "07-01 00:00")
    ]

    assert [each.contract for each in by] == [
        "valmont",
        "valmont.users",
        "valmont.users",
        "valmont",
    ]


def test_it_ends_with_its_contract_all_the_same() -> None:
    until = ("from: 2025-01-01,", "from: 2025-01-01, until: 2025-06-30,")
    policy = valmont(
        until, (_VALMONT, f"{_VALMONT}, also: {BY_USERS}"), ("\nservices:", _VIP)
    )

    noticed = Noticed("user", "phone")

    assert promised(policy, "paie", None, "p2", local("29 23:59"), noticed)
    assert not promised(policy, "paie", None, "p2", local("00:00"), noticed)
