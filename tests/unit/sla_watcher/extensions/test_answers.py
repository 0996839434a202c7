"""A longer delay is accepted, refused or left to expire: whose word it takes."""

from typing import Any

import pytest

from shared.domain import events
from shared.domain.commands.sla import AcceptExtension, RefuseExtension
from tests.support.builders.extensions import E1, extended, payroll, refusal, states
from tests.support.builders.promises import INCIDENT, Watch, local, shown, valmont


def test_accepted_twice_it_is_accepted_once() -> None:
    watch = extended()

    assert watch.accepts("14:10", E1) == []
    assert watch.accepts("14:10", E1, by="somebody", who="nadia") == []


def test_a_stranger_agrees_to_nothing() -> None:
    watch = payroll()
    ref = watch.proposes("14:00", "07-01 10:00")

    no = refusal(lambda: watch.accepts("14:05", ref, by="petit"))

    assert (no.code, "roche, dsi-valmont" in no.reason) == ("role", True)
    wish = RefuseExtension(refused_by="petit", channel="phone")
    assert refusal(lambda: watch.asks("14:05", wish, "paul", ref)).code == "role"
    assert states(watch) == ["proposed"]


def test_whoever_nobody_knows_to_have_to_do_with_it_agrees_to_nothing() -> None:
    contact = {
        "person": "petit",
        "direction": "inbound",
        "channel": "email",
        "contacted_at": local("09:30"),
        "unconfirmed": True,
    }
    watch = payroll()
    watch.happens("09:30", events.IncidentContacted, **contact)
    ref = watch.proposes("14:00", "07-01 10:00")

    assert refusal(lambda: watch.accepts("14:05", ref, by="petit")).code == "role"


def test_whoever_reported_it_too_may_agree_and_who_the_contract_names() -> None:
    contact = {
        "person": "petit",
        "direction": "inbound",
        "channel": "phone",
        "contacted_at": local("09:30"),
    }
    for who in ("petit", "dsi-valmont"):
        watch = payroll()
        watch.happens("09:30", events.IncidentContacted, **contact)
        said = watch.accepts("14:05", watch.proposes("14:00", "07-01 10:00"), by=who)
        assert said[0] == "ttr extension_accepted 14:05"


def test_whoever_reported_what_was_merged_into_it_may_agree_while_it_is() -> None:
    watch = payroll()
    merged = {"merged": "INC-000017", "reporters": ("leroy",), "signals": {}}
    watch.happens("09:30", events.IncidentAbsorbed, **merged)
    ref = watch.proposes("14:00", "07-01 10:00")
    watch.happens("14:01", events.IncidentReleased, merged="INC-000017", signal_keys=())
    assert refusal(lambda: watch.accepts("14:05", ref, by="leroy")).code == "role"
    watch.happens("14:06", events.IncidentAbsorbed, **merged)

    assert watch.accepts("14:07", ref, by="leroy")[0].startswith("ttr extension_acc")


def test_a_contract_may_leave_it_to_others_than_the_reporter() -> None:
    watch = Watch(valmont(("may_agree: [reporter, dsi-valmont]", "may_agree: [dsi]")))
    watch.opened("09:10")
    ref = watch.proposes("14:00", "07-01 10:00")

    asked = [e.asked for e in watch.said if isinstance(e, events.SlaExtensionProposed)]
    assert asked == [("dsi",)]
    assert refusal(lambda: watch.accepts("14:05", ref)).code == "role"
    assert watch.accepts("14:05", ref, by="dsi")


def test_an_agent_says_how_the_word_was_given_the_user_need_not() -> None:
    watch = payroll()
    ref = watch.proposes("14:00", "07-01 10:00")
    mute = AcceptExtension(accepted_by="roche", channel="phone")

    no = refusal(lambda: watch.asks("14:05", mute, "paul", ref))
    assert (no.code, "evidence" in no.reason) == ("invalid", True)
    full = AcceptExtension(accepted_by="roche", channel="phone", evidence="Oui.")
    no = refusal(lambda: watch.asks("14:05", full, "petit", ref, ("auditor",)))
    assert no.code == "role"
    own = AcceptExtension(channel="web")
    assert watch.asks("14:05", own, "roche", ref)[0] == "ttr extension_accepted 14:05"
    assert watch.clock("ttr").extensions[0].answered_by == "roche"


def test_refused_everything_stays_as_it_was_and_is_on_record() -> None:
    watch = payroll()
    ref = watch.proposes("14:00", "07-01 10:00")
    wish = RefuseExtension(refused_by="roche", channel="email")
    before = watch.clock("ttr")

    assert watch.asks("14:20", wish, "paul", ref) == ["ttr extension_refused 14:20"]

    after = watch.clock("ttr")
    assert (after.due_at, after.seconds) == (before.due_at, before.seconds)
    assert states(watch) == ["refused"]
    assert watch.asks("14:21", wish, "paul", ref) == []
    no = refusal(lambda: watch.accepts("14:30", ref))
    assert (no.code, "was refused before" in no.reason) == ("state", True)
    assert watch.proposes("14:40", "07-01 09:00") == f"{INCIDENT}-E2"


def test_what_was_accepted_is_not_refused_any_more() -> None:
    watch = extended()
    wish = RefuseExtension(refused_by="roche", channel="email")

    no = refusal(lambda: watch.asks("14:20", wish, "paul", E1))

    assert (no.code, "was accepted before" in no.reason) == ("state", True)


def test_without_an_answer_it_expires_when_that_was_said() -> None:
    watch = payroll()
    ref = watch.proposes("14:00", "07-01 10:00", answer_by="14:30")

    assert watch.passes("14:29") == []
    assert watch.passes("14:30") == ["ttr extension_expired 14:30"]
    no = refusal(lambda: watch.accepts("14:30", ref))
    assert (no.code, "was expired before" in no.reason) == ("state", True)
    assert watch.proposes("14:40", "07-01 10:00") == f"{INCIDENT}-E2"


def test_an_answer_in_the_very_instant_of_the_expiry_is_too_late() -> None:
    watch = payroll()
    ref = watch.proposes("14:00", "07-01 10:00", answer_by="14:30")

    assert refusal(lambda: watch.accepts("14:30", ref)).code == "state"
    assert states(watch) == ["expired"]


def test_left_out_the_answer_is_awaited_until_the_instant_proposed() -> None:
    watch = payroll()
    watch.proposes("14:00", "07-01 10:00")

    said = watch.passes("07-01 10:00")

    assert [each for each in said if "ttr" in each] == [
        "ttr breached 15:10",
        "ttr extension_expired 07-01 10:00",
    ]


def test_while_it_stands_an_answer_is_awaited_no_longer() -> None:
    watch = payroll()
    watch.proposes("14:00", "07-01 10:00", answer_by="15:00")
    watch.happens("14:10", events.IncidentPaused, reason="user", question="Quel mois ?")

    assert watch.passes("15:00") == ["ttr extension_expired 15:00"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (events.IncidentRestored, {}),
        (events.IncidentResolved, {"cycle": 1}),
        (events.IncidentMerged, {"into": "INC-000001"}),
    ],
)
def test_when_the_promise_ends_there_is_nothing_left_to_agree_on(
    kind: type[Any], words: dict[str, Any]
) -> None:
    watch = payroll()
    ref = watch.proposes("14:00", "07-01 10:00")

    assert "ttr extension_expired 14:10" in watch.happens("14:10", kind, **words)
    assert refusal(lambda: watch.accepts("14:20", ref)).code == "state"


def test_agreed_too_late_to_be_longer_it_is_refused() -> None:
    watch = payroll()
    ref = watch.proposes("14:00", "16:00")
    watch.happens("14:10", events.IncidentPaused, reason="user", question="Quel mois ?")
    watch.happens("15:10", events.IncidentResumed, cause="reply")

    assert shown(watch.clock("ttr").due_at) == "16:10"
    no = refusal(lambda: watch.accepts("15:20", ref))
    assert (no.code, "not later" in no.reason) == ("state", True)


def test_only_its_own_extensions_are_answered() -> None:
    watch = payroll()
    watch.proposes("14:00", "07-01 10:00")

    for record, code in (
        (f"{INCIDENT}-E2", "unknown_extension"),
        ("INC-000099-E1", "invalid"),
        (None, "invalid"),
    ):
        wish = AcceptExtension(accepted_by="roche", channel="phone", evidence="Oui.")
        no = refusal(lambda: watch.asks("14:05", wish, "paul", record))  # noqa: B023 called at once
        assert no.code == code
