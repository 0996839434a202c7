"""Two incidents for one trouble."""

from shared.domain import events
from shared.domain.commands.incident import Merge, Unmerge
from shared.domain.incident import Status, replay
from tests.unit.intake.commands.scenario import (
    KEY,
    KEY_2,
    LATER,
    OTHER,
    called,
    event,
    given,
    opened,
    reported,
)

other = opened(incident=OTHER, signal_key=KEY_2)
merge, unmerge = Merge(into=OTHER), Unmerge()
merged = event(events.IncidentMerged, into=OTHER)
absorbed = event(
    events.IncidentAbsorbed,
    incident=OTHER,
    merged="INC-000042",
    signals={KEY: "firing"},
    reporters=("costa", "lefevre"),
)
source = {"source": "prom", "signal_key": KEY}


def test_signals_and_people_go_over() -> None:
    past = (opened(), called("lefevre"), called("costa"))

    given(*past).beside(other).when(merge).then(merged, absorbed)


def test_the_other_then_has_them() -> None:
    incident = replay([other, absorbed])

    assert incident is not None
    assert incident.signals == {KEY: "firing", KEY_2: "firing"}
    assert incident.reporters == {"costa", "lefevre"}


def test_people_of_what_was_merged_before_go_over_too() -> None:
    before = event(
        events.IncidentAbsorbed, merged="INC-000003", signals={}, reporters=("costa",)
    )

    *_, over = given(opened(), before, called()).beside(other).when(merge).events()

    assert isinstance(over, events.IncidentAbsorbed)
    assert over.reporters == ("costa", "lefevre")


def test_merging_ends_the_pause() -> None:
    paused = event(events.IncidentPaused, reason="vendor")
    past = (opened(), event(events.IncidentAcknowledged), paused)

    first, *_ = given(*past).beside(other).when(merge).events()

    assert first == event(events.IncidentResumed, cause="merged")


def test_merging_twice_changes_nothing() -> None:
    given(opened(), merged).beside(other, absorbed).when(merge).then()


def test_merging_elsewhere_needs_unmerging_first() -> None:
    given(opened(), merged).beside(opened(incident="INC-000003")).when(
        Merge(into="INC-000003")
    ).then_refused(f"is merged into {OTHER}: unmerge it first")


def test_an_incident_is_not_merged_into_itself() -> None:
    given(opened()).beside(opened()).when(Merge(into="INC-000042")).then_refused(
        "into itself", "invalid"
    )


def test_the_other_must_be_there() -> None:
    given(opened()).when(merge).then_refused("no incident", "unknown_target")


def test_nothing_is_merged_into_what_is_over() -> None:
    resolved = event(events.IncidentResolved, incident=OTHER, cycle=1)

    given(opened()).beside(other, resolved).when(merge).then_refused("reopen it first")


def test_nothing_is_merged_into_what_was_merged() -> None:
    gone = event(events.IncidentMerged, incident=OTHER, into="INC-000003")

    given(opened()).beside(other, gone).when(merge).then_refused("into INC-000003")


def test_what_is_over_is_linked_instead() -> None:
    cancelled = event(events.IncidentCancelled, reason="duplicate")

    given(opened(), cancelled).beside(other).when(merge).then_refused("link the two")


def test_more_than_an_event_can_carry_is_not_merged() -> None:
    crowd = [called(f"person-{n}") for n in range(201)]

    given(opened(), *crowd).beside(other).when(merge).then_refused(
        "merge the other way round", "invalid"
    )


def test_unmerging_takes_back_the_signals_as_they_now_stand() -> None:
    recovered = event(events.IncidentRecovered, incident=OTHER, **source)

    given(opened(), merged).beside(other, absorbed, recovered).when(unmerge).then(
        event(events.IncidentUnmerged, out_of=OTHER, signals={KEY: "recovered"}),
        event(
            events.IncidentReleased,
            incident=OTHER,
            merged="INC-000042",
            signal_keys=(KEY,),
        ),
    )


def test_after_unmerging_both_are_as_if_they_had_never_met() -> None:
    acknowledged = event(events.IncidentAcknowledged)
    unmerged = event(events.IncidentUnmerged, out_of=OTHER, signals={KEY: "firing"})
    released = event(
        events.IncidentReleased, incident=OTHER, merged="INC-000042", signal_keys=(KEY,)
    )

    assert replay([opened(), merged, unmerged]) == replay([opened()])
    assert replay([opened(), acknowledged, merged, unmerged]) == replay(
        [opened(), acknowledged]
    )
    assert replay([other, absorbed, released]) == replay([other])


def test_what_recovered_meanwhile_comes_back_recovered() -> None:
    unmerged = event(events.IncidentUnmerged, out_of=OTHER, signals={KEY: "recovered"})
    incident = replay([opened(), merged, unmerged])

    assert incident is not None
    assert incident.signals == {KEY: "recovered"}


def test_who_reported_both_stays_with_both() -> None:
    released = event(
        events.IncidentReleased, incident=OTHER, merged="INC-000042", signal_keys=()
    )
    incident = replay([reported(incident=OTHER), absorbed, released])

    assert incident is not None
    assert incident.reporters == {"lefevre"}


def test_a_signal_that_came_to_the_other_stays_there() -> None:
    fresh = event(
        events.IncidentSignalled,
        incident=OTHER,
        source="prom",
        signal_key="c" * 64,
        last_at=LATER,
    )

    back, released = (
        given(opened(), merged).beside(other, absorbed, fresh).when(unmerge).events()
    )

    assert isinstance(back, events.IncidentUnmerged)
    assert isinstance(released, events.IncidentReleased)
    assert (set(back.signals), released.signal_keys) == ({KEY}, (KEY,))


def test_unmerging_what_is_not_merged_changes_nothing() -> None:
    given(opened()).when(unmerge).then()


def test_what_was_merged_twice_over_is_unmerged_from_the_outside() -> None:
    gone = event(events.IncidentMerged, incident=OTHER, into="INC-000003")

    given(opened(), merged).beside(other, absorbed, gone).when(unmerge).then_refused(
        f"{OTHER} is merged itself: unmerge that first"
    )


def test_merged_is_out_of_the_stock() -> None:
    incident = replay([opened(), merged])

    assert incident is not None
    assert (incident.status, incident.merged_into) == (Status.MERGED, OTHER)
