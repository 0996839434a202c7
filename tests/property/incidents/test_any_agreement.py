"""However often more time is asked for, each promise ends once and history is whole."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import is_sla_event
from shared.domain.events.sla import SlaExtensionAccepted
from shared.domain.identifiers import sla_stream
from shared.domain.sla import Clock, State, evolve
from shared.domain.sla.clock import ENDED
from shared.domain.working_time import due, hours_of
from tests.support.builders.promises import INCIDENT, VALMONT, valmont
from tests.support.examples import examples
from tests.support.strategies.agreements import SCRIPTS, Lived, Step, fresh

many = examples(80)
RESOLVED = valmont(("stops_at: restored", "stops_at: resolved"))
policies = st.sampled_from([VALMONT, RESOLVED])


@many
@given(SCRIPTS, policies)
def test_every_promise_ends_in_exactly_one_way_and_no_proposal_outlives_it(
    script: list[Step], policy: object
) -> None:
    life = Lived(policy).plays(script)  # type: ignore[arg-type] # one of the two
    case = life.desk.case
    assert case is not None

    for clock in case.clocks:
        over = case.resolved_at is not None or clock.name.cycle != case.cycle
        stands = clock.standing_since is not None
        assert clock.state in ENDED or (stands and not over), clock
        assert clock.asked is None, clock
        assert clock.seconds >= clock.original_seconds
        assert clock.attributed is None or clock.state is State.BREACHED


@many
@given(SCRIPTS)
def test_a_late_watcher_says_what_one_on_time_said(script: list[Step]) -> None:
    on_time, late = (
        Lived(VALMONT).plays(script),
        Lived(VALMONT, late=True).plays(script),
    )

    assert said(late) == said(on_time)


@many
@given(SCRIPTS)
def test_a_memory_made_anew_from_the_log_is_the_one_that_was(
    script: list[Step],
) -> None:
    life, anew = Lived(VALMONT).plays(script), fresh(VALMONT)
    own = [entry for entry in life.log if entry.stream == sla_stream(INCIDENT)]
    anew.said = {(each.stream, each.version): each.event for each in own}

    for entry in life.log:
        anew.take(entry, entry.recorded_at)

    assert anew.decided == []
    assert anew.case == life.desk.case


@many
@given(SCRIPTS)
def test_only_acceptance_moves_what_runs_and_working_time_says_where_to(
    script: list[Step],
) -> None:
    life = Lived(VALMONT).plays(script)
    clocks: tuple[Clock, ...] = ()
    for _, _, event in life.desk.decided:
        assert is_sla_event(event)
        before, clocks = clocks, evolve(clocks, event)
        if event.type.startswith(("sla.extension", "sla.breach_")) and (
            not isinstance(event, SlaExtensionAccepted) or event.after_breach
        ):
            assert [c.due_at for c in clocks] == [c.due_at for c in before]
        for clock in clocks:
            if clock.state is State.RUNNING:
                hours = hours_of(VALMONT.calendars[clock.calendar])
                pauses = [(stop.since, stop.until) for stop in clock.stopped]
                start, seconds = clock.started_at, clock.seconds
                assert clock.due_at == due(hours, start, seconds, pauses)


@many
@given(SCRIPTS)
def test_what_was_agreed_before_a_breach_is_never_less_than_what_was_promised(
    script: list[Step],
) -> None:
    life = Lived(VALMONT).plays(script)

    for _, _, event in life.desk.decided:
        if isinstance(event, SlaExtensionAccepted):
            assert event.seconds > event.was_seconds
            assert event.due_at is None or event.due_at <= event.agreed_due_at


def said(life: Lived) -> list[dict[str, object]]:
    """Return what was decided, without when it was noticed."""
    return [event.model_dump(exclude={"at"}) for _, _, event in life.desk.decided]
