"""A longer delay that is agreed moves what is due, and nothing else does."""

from shared.domain import events
from tests.support.builders.extensions import (
    E1,
    TEN_TOMORROW,
    extended,
    payroll,
    refusal,
)
from tests.support.builders.promises import shown


def test_a_proposal_moves_nothing() -> None:
    watch = payroll()

    assert watch.proposes("14:00", "07-01 10:00") == E1

    clock = watch.clock("ttr")
    assert shown(clock.due_at) == "15:10"
    assert clock.agreed_seconds is None
    assert watch.passes("16:00")[-1] == "ttr breached 15:10"


def test_who_is_asked_has_heard_from_the_desk() -> None:
    watch = payroll()
    watch.proposes("09:20", "07-01 10:00")

    assert watch.clock("update").state == "met"
    assert shown(watch.clock("update", round_=2).due_at) == "11:20"


def test_accepted_it_is_due_when_that_was_agreed_and_no_longer_before() -> None:
    watch = extended()

    clock = watch.clock("ttr")
    assert shown(clock.due_at) == shown(clock.agreed_due_at) == "07-01 10:00"
    assert (clock.seconds, clock.original_seconds) == (TEN_TOMORROW, 6 * 3_600)
    assert "ttr breached" not in str(watch.passes("07-01 10:00"))
    assert watch.passes("07-01 10:01") == ["ttr breached 07-01 10:00"]


def test_the_acceptance_says_whose_word_it_is_and_who_took_it_down() -> None:
    watch = extended()
    event = next(e for e in watch.said if isinstance(e, events.SlaExtensionAccepted))

    assert (event.by, event.accepted_by, event.channel) == (
        "person:paul",
        "roche",
        "phone",
    )
    assert event.whose == "person:roche"
    assert (event.seconds, event.was_seconds) == (TEN_TOMORROW, 6 * 3_600)
    assert (shown(event.due_at), shown(event.was_due_at)) == ("07-01 10:00", "15:10")
    assert not event.after_breach


def test_kept_after_an_extension_it_says_what_was_promised_at_first() -> None:
    watch = extended()
    watch.passes("07-01 08:30")
    watch.happens("07-01 09:00", events.IncidentRestored)

    met = next(
        e for e in watch.said if isinstance(e, events.SlaMet) and e.target == "ttr"
    )
    assert (met.seconds, met.original_seconds) == (TEN_TOMORROW, 6 * 3_600)
    assert met.elapsed_seconds == TEN_TOMORROW - 3_600


def test_warnings_come_once_more_for_the_new_target() -> None:
    watch = payroll()
    watch.passes("13:40")
    watch.accepts("14:05", watch.proposes("14:00", "07-01 10:00"))

    said = [each for each in watch.passes("07-01 10:00") if "ttr" in each]
    assert said == ["ttr warned 75 % 17:17:30"]


def test_a_later_pause_moves_what_was_agreed() -> None:
    watch = extended()
    watch.happens("15:00", events.IncidentPaused, reason="user", question="Quel mois ?")
    assert watch.clock("ttr").due_at is None
    watch.happens("16:00", events.IncidentResumed, cause="reply")

    clock = watch.clock("ttr")
    assert shown(clock.due_at) == "07-01 11:00"
    assert shown(clock.agreed_due_at) == "07-01 10:00"


def test_agreed_while_it_stands_it_counts_as_though_it_went_on_then() -> None:
    watch = payroll()
    watch.happens("10:10", events.IncidentPaused, reason="user", question="Quel mois ?")
    ref = watch.proposes("12:00", "07-01 10:00")
    watch.accepts("12:10", ref)

    clock = watch.clock("ttr")
    assert (clock.state, clock.due_at) == ("paused", None)
    watch.happens("12:10", events.IncidentResumed, cause="reply")
    assert shown(watch.clock("ttr").due_at) == "07-01 10:00"


def test_while_it_stands_the_present_instant_is_what_it_would_be_going_on_now() -> None:
    watch = payroll()
    watch.happens("10:10", events.IncidentPaused, reason="user", question="Quel mois ?")

    no = refusal(lambda: watch.proposes("12:10", "17:10"))

    assert "2025-06-30T15:10:00Z is not later than 2025-06-30T15:10:00Z" in no.reason
    assert watch.proposes("12:10", "17:11") == E1


def test_agreed_after_the_breach_it_is_kept_beside_and_the_breach_stays() -> None:
    watch = payroll()
    watch.passes("15:11")
    watch.accepts("15:30", watch.proposes("15:20", "07-01 10:00"))

    clock = watch.clock("ttr")
    assert (clock.state, clock.seconds) == ("breached", 6 * 3_600)
    assert clock.agreed_seconds == TEN_TOMORROW
    assert clock.extensions[0].after_breach
    watch.happens("07-01 09:00", events.IncidentRestored)
    assert watch.clock("ttr").overrun_seconds == TEN_TOMORROW - 7 * 3_600
    assert [each for each in watch.passes("07-20 10:00") if "ttr" in each] == []
