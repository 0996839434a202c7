"""The programme of the day: its beats, when each scene plays, what is to come."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from demo.beats import afternoon as pm
from demo.beats import delays, evening, forenoon, morning, prelude
from demo.beats import evening as beats_evening
from demo.cast import MONDAY, TUESDAY, at
from demo.stage import Stage

Scene = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Cue:
    """When a scene of a beat plays."""

    at: datetime
    play: Scene
    unwatched: bool = False
    """Time passes until then without anybody watching what is due."""


@dataclass(frozen=True)
class Beat:
    """What is shown; `to_come` is the part that the desk cannot do yet."""

    number: int
    title: str
    cues: Sequence[Cue]
    to_come: str = ""


_Scenes = tuple[str, Scene] | tuple[str, Scene, bool]
_UNWATCHED = True


def _on(day: date, *scenes: _Scenes) -> Sequence[Cue]:
    return tuple(Cue(at(clock, day), *play) for clock, *play in scenes)


def _beat(number: int, title: str, *scenes: _Scenes, to_come: str = "") -> Beat:
    return Beat(number, title, _on(MONDAY, *scenes), to_come)


PROGRAMME: Sequence[Beat] = (
    Beat(
        0,
        "June until Friday: INC-1 to INC-12",
        _on(date(2025, 6, 2), ("08:00", prelude.june)),
        "the surveys of June",
    ),
    _beat(
        1,
        "200 posts, one incident; who is on call is paged",
        ("07:52", morning.portal_down),
        ("07:55", morning.portal_taken),
        to_come="acknowledging by link",
    ),
    _beat(
        2,
        "A call and an e-mail belong to it",
        ("08:04", morning.call_attached),
        ("08:07", morning.mail_attached),
    ),
    _beat(3, "“My printer is P1!”", ("08:15", morning.printer)),
    _beat(4, "Service is back, and it is not over", ("08:31", morning.fail_over)),
    _beat(
        5,
        "Solved on the phone",
        ("08:40", morning.mailbox),
        ("08:42", morning.mailbox_solved),
        ("08:46", morning.mailbox_closed),
        to_come="the survey",
    ),
    _beat(
        6,
        "Hand-over on call; INC-10 is back",
        ("09:00", morning.shift),
        ("09:20", morning.back_again),
    ),
    _beat(
        7,
        "Wrong totals in payroll, twice",
        ("09:10", forenoon.payroll),
        ("09:14", forenoon.payroll_taken),
        ("09:33", forenoon.second_call),
        ("09:40", forenoon.merged),
    ),
    _beat(
        8,
        "N1 to N2; nobody answers, the next accepts",
        ("09:30", forenoon.climbs),
        ("09:45", forenoon.next_one),
        ("09:52", forenoon.accepted),
    ),
    _beat(
        9,
        "Waiting for the user",
        ("10:20", forenoon.question),
        ("11:20", forenoon.answer),
    ),
    _beat(
        10,
        "`vpn` goes up and down",
        ("11:02", forenoon.flaps),
        *[(f"11:{minute:02}", forenoon.flaps_again) for minute in (10, 18, 26, 33)],
        ("11:40", forenoon.flapping),
        ("11:50", forenoon.flapping_over),
    ),
    _beat(
        11,
        "No incident: a second screen, and mail in maintenance",
        ("12:10", forenoon.second_screen),
        ("12:15", forenoon.no_incident),
        ("12:35", forenoon.mail_stands),
        ("12:50", forenoon.mail_back),
        ("13:00", forenoon.mail_work_over),
    ),
    _beat(
        12,
        "Nobody told the user anything",
        ("13:20:01", pm.update_due),
        ("13:25", pm.informed),
    ),
    _beat(
        13,
        "Watchers and escalation killed",
        ("14:10", pm.killed),
        ("14:20", pm.written_meanwhile, _UNWATCHED),
        ("14:55", pm.back_up, _UNWATCHED),
        ("15:00", pm.silent),
    ),
    _beat(
        14,
        "Two delays cannot be held",
        ("10:30", forenoon.on_demand),
        ("11:15", forenoon.on_the_web),
        ("15:05", delays.asked_for),
        ("15:08", delays.agreed),
        ("15:20", delays.refused),
    ),
    _beat(
        15,
        "A promise is broken, once",
        ("16:10:01", pm.broken),
        ("16:22", pm.handed_over),
    ),
    _beat(
        16,
        "Another, and it is no problem",
        ("10:05", delays.cancelled_once),
        ("12:05", delays.cancelled_again),
        ("16:30:01", pm.declined_breach),
        ("16:50", delays.attributed),
        ("17:00", pm.declined),
    ),
    _beat(
        17,
        "A way around, a solution, changes",
        ("16:35", pm.workaround),
        ("16:40", pm.solved),
        ("16:45", pm.change_requested),
        ("17:05", pm.portal_resolved),
        ("17:20", pm.change_planned),
    ),
    _beat(
        18,
        "Another policy; Montréal writes",
        ("18:05", evening.another_policy),
        ("22:30", evening.montreal),
    ),
    Beat(
        19,
        "One person woken",
        _on(
            TUESDAY,
            ("02:10", evening.night),
            ("02:14", evening.night_taken),
            ("03:05", evening.night_restored),
        ),
        "“why not me”",
    ),
    Beat(
        20,
        "June closes; the auditor comes",
        _on(TUESDAY, ("09:00", evening.auditor)),
        "surveys, their actions, solution notes",
    ),
    Beat(
        21,
        "A backup falls silent, and is heard again",
        (
            *_on(MONDAY, ("23:00", beats_evening.backed_up)),
            *_on(
                TUESDAY,
                ("07:30", beats_evening.not_heard),
                ("07:50", beats_evening.heard_again),
            ),
        ),
    ),
)
