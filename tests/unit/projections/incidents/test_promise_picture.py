"""A promise as a picture: what it shows is there in words too, and it is valid SVG."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.api.promises.explanations import on_axis
from services.projections.history.history import Wording, standings
from services.projections.web.incident.promise_picture import (
    WIDTH,
    PromisePicture,
    promise_pictures,
)
from shared.domain.events import IncidentPaused, IncidentResolved, IncidentResumed
from shared.domain.events.sla import Stop
from shared.domain.sla import Clock
from shared.domain.working_time import hours_of
from shared.i18n.catalog import Language
from tests.support.builders.promises import VALMONT, Watch, local


def _drawn(
    clock: Clock, at: datetime, language: Language = "en", zone: str = "Europe/Paris"
) -> PromisePicture:
    hours = hours_of(VALMONT.calendars[clock.calendar])
    (standing,) = standings([clock], lambda _: VALMONT, at)
    item = on_axis(standing, hours, at, Wording())
    answer = {"items": [item.model_dump(mode="json")], "at": at.isoformat()}
    (picture,) = promise_pictures(answer, clock.name.cycle, language, zone)
    return picture


def _facts(picture: PromisePicture) -> dict[str, str]:
    return {name: re.sub(r"\s", " ", value) for name, value in picture.facts}


def _root(picture: PromisePicture) -> ET.Element:
    return ET.fromstring(picture.svg)  # noqa: S314 # our own


def _shapes(picture: PromisePicture) -> dict[str, list[ET.Element]]:
    found: dict[str, list[ET.Element]] = {}
    for each in _root(picture).iter():
        for kind in each.get("class", "").split():
            found.setdefault(kind, []).append(each)
    return found


def _width(shapes: dict[str, list[ET.Element]], kind: str) -> float:
    return sum(float(each.get("width", "0")) for each in shapes.get(kind, ()))


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    watch.opened("09:10")
    return watch


def test_a_running_promise_shows_what_is_spent_what_is_left_and_when_it_is_due(
    watch: Watch,
) -> None:
    picture = _drawn(watch.clock("ttr"), local("10:10"))

    facts, shapes = _facts(picture), _shapes(picture)
    assert facts["Started"] == "30 Jun 2025, 09:10"
    assert facts["Spent"] == "1 h"
    assert facts["Due"] == "30 Jun 2025, 15:10"
    assert _width(shapes, "spent") == pytest.approx(WIDTH / 6, abs=1)
    assert {"mark-due", "mark-now"} <= shapes.keys()
    assert "late" not in shapes
    assert "mark-breach" not in shapes


def test_a_pause_is_hatched_and_named_after_whom_it_waits_for(watch: Watch) -> None:
    watch.happens("10:10", IncidentPaused, reason="user", question="?")
    waiting = _drawn(watch.clock("ttr"), local("11:10"))

    assert _facts(waiting)["Waiting for the user"].endswith("11:10")
    assert "Due" not in _facts(waiting)
    (rect,) = _shapes(waiting)["wait"]
    assert rect.get("fill") == "url(#promise-1-wait)"

    watch.happens("11:10", IncidentResumed, cause="reply")
    resumed = _drawn(watch.clock("ttr"), local("12:10"))
    assert _facts(resumed)["Spent"] == "2 h"
    assert _facts(resumed)["Due"] == "30 Jun 2025, 16:10"
    assert _width(_shapes(resumed), "wait") > 0


def test_a_breach_has_a_sign_and_a_pattern_of_its_own(watch: Watch) -> None:
    watch.passes("17:00")
    picture = _drawn(watch.clock("ttr"), local("16:10"))

    facts, shapes = _facts(picture), _shapes(picture)
    assert facts["Overdue by"] == "1 h"
    assert facts["Breached"] == "30 Jun 2025, 15:10"
    assert {"mark-breach", "late", "late-pattern"} <= shapes.keys()
    assert _width(shapes, "late") < _width(shapes, "spent")


def test_an_extension_shows_what_was_promised_and_what_was_agreed(watch: Watch) -> None:
    ref = watch.proposes("10:00", "17:10")
    asked = _drawn(watch.clock("ttr"), local("10:05"))
    assert _facts(asked)["Extension asked for until"] == "30 Jun 2025, 17:10"
    assert "mark-asked" in _shapes(asked)

    watch.accepts("10:10", ref)
    agreed = _drawn(watch.clock("ttr"), local("10:15"))
    assert _facts(agreed)["Due by the contract"] == "30 Jun 2025, 15:10"
    assert _facts(agreed)["Due, as agreed with the user"] == "30 Jun 2025, 17:10"
    assert {"mark-original", "mark-due"} <= _shapes(agreed).keys()


def test_a_met_promise_ends_where_it_was_met(watch: Watch) -> None:
    watch.happens("11:10", IncidentResolved, cycle=1)
    picture = _drawn(watch.clock("ttr"), local("23:00"))

    assert _facts(picture)["Ended"] == "30 Jun 2025, 11:10"
    assert "Now" not in _facts(picture)
    assert "mark-end" in _shapes(picture)
    assert "mark-now" not in _shapes(picture)


def test_the_picture_is_in_the_language_and_zone_of_its_reader(watch: Watch) -> None:
    picture = _drawn(watch.clock("ttr"), local("10:10"), "fr", "America/Montreal")

    assert picture.title == "Délai de résolution : en cours"
    assert _facts(picture)["Échéance"] == "30 juin 2025, 09:10"


def test_the_words_are_the_description_of_the_picture(watch: Watch) -> None:
    picture = _drawn(watch.clock("ttr"), local("10:10"))

    root = _root(picture)
    title, words = root.find("title"), root.find("desc")
    assert title is not None
    assert words is not None
    assert (root.get("role"), title.text) == ("img", picture.title)
    assert all(f"{name} {value}" in str(words.text) for name, value in picture.facts)


@given(
    pauses=st.lists(st.integers(1, 60 * 24), max_size=4),
    due=st.integers(0, 60 * 24 * 40),
    now=st.integers(0, 60 * 24 * 60),
)
def test_every_promise_is_drawn_within_its_frame(
    pauses: list[int], due: int, now: int
) -> None:
    watch = Watch()
    watch.opened("09:10")
    start = at = local("09:10")
    stops = []
    for minutes in pauses:
        since, at = at, at + timedelta(minutes=minutes)
        stops.append(Stop(since=since, until=at, why="user"))
    clock = replace(
        watch.clock("ttr"), stopped=tuple(stops), due_at=at + timedelta(minutes=due)
    )

    drawn = _drawn(clock, start + timedelta(minutes=now))

    assert "style=" not in drawn.svg
    for each in _root(drawn).iter("rect"):
        left, width = float(each.get("x", "-1")), float(each.get("width", "-1"))
        assert 0 <= left <= WIDTH
        assert left + width <= WIDTH + 1
