"""A beat is seen, or the demo ends and says which one was not."""

import asyncio
from typing import cast

import pytest

from demo.beats.messages import z
from demo.cast import MONDAY, at, see
from demo.play import Failed, show_one
from demo.programme import Beat, Cue, Scene
from demo.stage import Stage

NOON = at("12:00", MONDAY)


class Standing:
    """A stage on which the clock stands at noon."""

    now = NOON


def play(scene: Scene) -> None:
    cue = Cue(NOON, scene)
    beat = Beat(7, "Wrong totals", (cue,))
    asyncio.run(show_one(cue, beat, cast("Stage", Standing())))


def test_what_is_not_so_ends_the_demo_with_the_beat() -> None:
    async def scene(_: Stage) -> None:
        see("one breach", holds=False, saw=2)

    with pytest.raises(Failed, match="beat 7, Wrong totals: not so: one breach: saw 2"):
        play(scene)


def test_an_answer_of_another_form_ends_it_too() -> None:
    async def scene(_: Stage) -> None:
        answer: dict[str, str] = {}
        see("it is due at noon", answer["due_at"])

    with pytest.raises(Failed, match="beat 7, Wrong totals: an answer lacks"):
        play(scene)


def test_what_is_so_goes_on() -> None:
    async def scene(_: Stage) -> None:
        see("noon in Valmont", z("12:00") == "2025-06-30T10:00:00Z")

    play(scene)
