"""What a person is told at once: in their words, on their clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.contacts.receipt import ReceiptView, receipt
from shared.directory import Person
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentAcknowledged
from shared.domain.incident import replay
from shared.domain.sla import Clock, ClockName, State
from tests.support.policies import full
from tests.unit.intake.commands.scenario import INC, event, reported

POLICY = full()
# A Monday in Mons, before the desk opens at 8:30.
EARLY = datetime(2025, 6, 30, 6, tzinfo=UTC)
LEFEVRE = Person("lefevre", "Mme Lefèvre", "fr", "Europe/Brussels", has_mail=True)
COSTA = Person("costa", "M. Costa", "en", "America/Montreal", has_mail=True)


def written(
    person: Person | None = LEFEVRE,
    *clocks: Clock,
    attached: bool = False,
    taken: bool = False,
    service: str = "billetterie",
) -> ReceiptView:
    history: list[IncidentEvent] = [
        reported(reported_at=EARLY, service=service, title="Rien ne va"),
        *([event(IncidentAcknowledged)] if taken else []),
    ]
    incident = replay(history)
    assert incident is not None
    return receipt(
        incident, clocks, POLICY, person, "C'est en panne", attached=attached
    )


def clock(state: State, due_at: datetime | None) -> Clock:
    return Clock(
        name=ClockName("ttr", 1, 1),
        state=state,
        policy=1,
        contract="ville",
        candidates=("ville",),
        calendar="jour",
        seconds=60,
        original_seconds=60,
        warn=(),
        stops_at="restored",
        paused_by=("user",),
        started_at=EARLY,
        set_at=EARLY,
        due_at=due_at,
    )


def test_it_has_the_reference_the_words_and_what_is_promised() -> None:
    told = written()

    assert told.reference == INC
    assert INC in told.text
    assert "C'est en panne" in told.text
    assert {each.target for each in told.promises} >= {"tto", "ttr"}
    for each in told.promises:
        assert each.is_open
        if each.due_text:
            assert each.due_text in told.text


def test_it_speaks_the_persons_language_in_their_zone() -> None:
    here, there = written(), written(COSTA)

    assert (here.language, here.zone) == ("fr", "Europe/Brussels")
    assert (there.language, there.zone) == ("en", "America/Montreal")
    assert here.promises[0].due_at == there.promises[0].due_at
    assert "heure de Bruxelles" in (here.promises[0].due_text or "")
    assert "Montréal time" in (there.promises[0].due_text or "")
    assert "Bonjour Mme Lefèvre," in here.text
    assert "Hello M. Costa," in there.text


def test_who_is_unknown_reads_the_desks_first_language_in_its_zone() -> None:
    told = written(None)

    assert (told.language, told.zone) == ("fr", "Europe/Brussels")
    assert "Bonjour," in told.text


def test_without_a_contract_nothing_is_promised() -> None:
    told = written(service="unknown")

    assert told.promises == []
    assert INC in told.text


def test_where_a_clock_runs_it_says_what_is_due() -> None:
    later = EARLY + timedelta(days=1)
    told = written(LEFEVRE, clock(State.RUNNING, later), attached=True)

    (ttr,) = (each for each in told.promises if each.target == "ttr")
    assert (ttr.due_at, ttr.seconds, ttr.is_open) == (later, 60, True)
    assert "était déjà signalé" in told.text


def test_what_stands_has_no_due_instant_and_what_is_kept_is_not_promised() -> None:
    paused = written(LEFEVRE, clock(State.PAUSED, None))
    met = written(LEFEVRE, clock(State.MET, EARLY))

    (stands,) = (each for each in paused.promises if each.target == "ttr")
    (kept,) = (each for each in met.promises if each.target == "ttr")
    assert (stands.due_at, stands.due_text, stands.is_open) == (None, None, True)
    assert not kept.is_open
    assert kept.due_text
    assert kept.due_text not in met.text


def test_what_somebody_has_taken_on_needs_no_promise_to_be_taken_on() -> None:
    told = written(taken=True)

    (tto,) = (each for each in told.promises if each.target == "tto")
    assert not tto.is_open
    assert tto.due_text
    assert tto.due_text not in told.text


def test_a_clock_that_runs_on_promises_nothing_that_was_done() -> None:
    later = EARLY + timedelta(days=1)
    running = replace(clock(State.RUNNING, later), name=ClockName("tto", 1, 1))

    told = written(LEFEVRE, running, taken=True)

    (tto,) = (each for each in told.promises if each.target == "tto")
    assert not tto.is_open
