"""The programme of the day: its beats, and when each scene plays."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from demo.beats import afternoon, delays, evening, forenoon, morning, prelude, surveys
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
    """A part of the day, and what is shown of it."""

    number: int
    title: str
    cues: Sequence[Cue]


TITLES: Mapping[int, str] = {
    0: "June until Friday: INC-1 to INC-12",
    1: "200 posts, one incident; who is on call is paged",
    2: "A call and an e-mail belong to it",
    3: "“My printer is P1!”",
    4: "Service is back, and it is not over",
    5: "Solved on the phone; its user answers by link",
    6: "Hand-over on call; INC-10 is back",
    7: "Wrong totals in payroll, twice",
    8: "N1 to N2; nobody answers, the next takes it by link",
    9: "Waiting for the user",
    10: "`vpn` goes up and down",
    11: "No incident: a second screen, and mail in maintenance",
    12: "Nobody told the user anything",
    13: "Watchers and escalation killed",
    14: "Two delays cannot be held",
    15: "A promise is broken, once",
    16: "Another, and it is not a problem",
    17: "A way around, a solution, changes",
    18: "Another policy; Montréal writes",
    19: "One person woken",
    20: "June closes, with its survey; a note helps N1; the auditor comes",
    21: "A backup falls silent, and is heard again",
    22: "A user is not satisfied",
}
_UNWATCHED = True
_Row = tuple[int, str, Scene] | tuple[int, str, Scene, bool]
_SCENES: Mapping[date, Sequence[_Row]] = {
    date(2025, 6, 2): ((0, "08:00", prelude.june),),
    MONDAY: (
        (1, "07:52", morning.portal_down),
        (1, "07:55", morning.portal_taken),
        (2, "08:04", morning.call_attached),
        (2, "08:07", morning.mail_attached),
        (3, "08:15", morning.printer),
        (4, "08:31", morning.fail_over),
        (5, "08:40", morning.mailbox),
        (5, "08:42", morning.mailbox_solved),
        (5, "08:46", morning.mailbox_closed),
        (5, "08:58", surveys.mailbox_answered),
        (6, "09:00", morning.shift),
        (7, "09:10", forenoon.payroll),
        (7, "09:14", forenoon.payroll_taken),
        (6, "09:20", morning.back_again),
        (8, "09:30", forenoon.climbs),
        (7, "09:33", forenoon.second_call),
        (7, "09:40", forenoon.merged),
        (8, "09:45", forenoon.next_one),
        (8, "09:52", forenoon.accepted),
        (16, "10:05", delays.cancelled_once),
        (9, "10:20", forenoon.question),
        (14, "10:30", forenoon.on_demand),
        (10, "11:02", forenoon.flaps),
        (10, "11:10", forenoon.flaps_again),
        (14, "11:15", forenoon.on_the_web),
        (10, "11:18", forenoon.flaps_again),
        (9, "11:20", forenoon.answer),
        (10, "11:26", forenoon.flaps_again),
        (10, "11:33", forenoon.flaps_again),
        (10, "11:40", forenoon.flapping),
        (10, "11:50", forenoon.flapping_over),
        (16, "12:05", delays.cancelled_again),
        (11, "12:10", forenoon.second_screen),
        (11, "12:15", forenoon.no_incident),
        (11, "12:35", forenoon.mail_fires),
        (11, "12:50", forenoon.mail_back),
        (11, "13:00", forenoon.mail_work_over),
        (12, "13:20:01", afternoon.update_due),
        (12, "13:25", afternoon.informed),
        (13, "14:10", afternoon.killed),
        (13, "14:20", afternoon.written_meanwhile, _UNWATCHED),
        (13, "14:55", afternoon.back_up, _UNWATCHED),
        (13, "15:00", afternoon.silent),
        (14, "15:05", delays.asked_for),
        (14, "15:08", delays.agreed),
        (14, "15:20", delays.refused),
        (15, "16:10:01", afternoon.broken),
        (15, "16:22", afternoon.handed_over),
        (16, "16:30:01", afternoon.declined_breach),
        (17, "16:35", afternoon.workaround),
        (17, "16:40", afternoon.solved),
        (17, "16:45", afternoon.change_requested),
        (16, "16:50", delays.attributed),
        (16, "17:00", afternoon.declined),
        (17, "17:05", afternoon.portal_resolved),
        (17, "17:20", afternoon.change_planned),
        (22, "17:40", surveys.dissatisfied),
        (18, "18:05", evening.another_policy),
        (18, "22:30", evening.montreal),
        (21, "23:00", evening.backed_up),
    ),
    TUESDAY: (
        (19, "02:10", evening.night),
        (19, "02:14", evening.night_taken),
        (19, "03:05", evening.night_restored),
        (19, "07:00", evening.why_not_me),
        (21, "07:30", evening.not_heard),
        (21, "07:50", evening.heard_again),
        (20, "08:00", surveys.june_closes),
        (20, "08:00", surveys.clients_asked),
        (20, "08:20", evening.solved_by_note),
        (20, "09:00", evening.auditor),
    ),
}
"""The scenes of each day in order: beat, local time, scene."""


def _cues(number: int) -> Iterator[Cue]:
    for day, scenes in _SCENES.items():
        for beat, clock, *scene in scenes:
            if beat == number:
                yield Cue(at(clock, day), *scene)


PROGRAMME: Sequence[Beat] = tuple(
    Beat(number, title, tuple(_cues(number))) for number, title in TITLES.items()
)
