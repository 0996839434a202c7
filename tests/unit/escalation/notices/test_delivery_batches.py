"""How many steps of deliveries share a transaction if PostgreSQL ends some of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from services.escalation.notifications.recorder import (
    STEPS_MAX,
    DeliveryRecorder,
    Step,
)
from shared.eventlog.errors import Unavailable

STEPS = [cast(Step, number) for number in range(STEPS_MAX)]
NONE = cast(Any, None)


@dataclass(eq=False)
class Slow(DeliveryRecorder):
    """A recorder whose transactions end if they record more than `most` steps."""

    most: int = STEPS_MAX
    sizes: list[int] = field(default_factory=list)

    def _recorded(self, steps: Sequence[Step]) -> list[bool | Exception]:
        self.sizes.append(len(steps))
        if len(steps) > self.most:
            raise Unavailable("terminated")
        return [True] * len(steps)


def test_a_transaction_that_takes_too_long_is_repeated_with_fewer_steps() -> None:
    recorder = Slow(NONE, NONE, NONE, NONE, NONE, most=STEPS_MAX // 4)
    answers = [recorder.record(STEPS) for _ in range(3)]

    assert [type(each) for each in answers[0]] == [Unavailable] * STEPS_MAX
    assert answers[-1][: STEPS_MAX // 4] == [True] * (STEPS_MAX // 4)
    assert recorder.sizes[:3] == [STEPS_MAX, STEPS_MAX // 2, STEPS_MAX // 4]


def test_after_a_transaction_that_fails_nothing_more_is_tried_at_once() -> None:
    recorder = Slow(NONE, NONE, NONE, NONE, NONE, most=0)
    recorder.record(STEPS)
    recorder.record(STEPS)

    assert len(recorder.sizes) == 2


def test_after_trouble_transactions_grow_again() -> None:
    recorder = Slow(NONE, NONE, NONE, NONE, NONE, most=0)
    recorder.record(STEPS)
    recorder.most = STEPS_MAX
    for _ in range(2):
        assert recorder.record(STEPS) == [True] * STEPS_MAX

    assert recorder.sizes[-1] == STEPS_MAX
