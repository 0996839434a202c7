"""What the watcher decided itself it does not read into its cases once more."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.sla_watcher.app import casework
from tests.support.builders.promises import local
from tests.support.desks.watching import SlaDesk, Watcher, opened

pytestmark = pytest.mark.servers


def counted(desk: SlaDesk) -> tuple[Watcher, list[Sequence[str]]]:
    """Return a watcher, and the cases that it opens from now on."""
    house, found = casework(desk.log), list[Sequence[str]]()

    def known(cursor: Any, incidents: Sequence[str]) -> Any:
        found.append(incidents)
        return house.known(cursor, incidents)

    return desk.another(replace(house, known=known)), found


def test_its_own_decisions_open_no_case_again(desk: SlaDesk) -> None:
    desk.worker, cases = counted(desk)
    desk.happens(opened(1, desk.now), opened(2, desk.now))

    desk.read(batch=1)

    assert desk.types(1) == desk.types(2) == ["tto armed", "ttr armed"]
    assert cases == [["INC-000001"], ["INC-000002"]]


def test_nor_do_those_of_another_process(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    assert desk.read_some(2)
    twin, cases = counted(desk)
    looks_again: list[None] = []
    twin.changed = lambda: looks_again.append(None)

    desk.read(twin)

    assert cases == []
    assert looks_again, "an alarm may have looked before they were committed"


@pytest.mark.parametrize("rewound", [True, False])
def test_cases_that_were_rewound_or_emptied_meanwhile_learn_of_them(
    desk: SlaDesk, *, rewound: bool
) -> None:
    desk.happens(opened(1, desk.now))
    desk.read()
    desk.tell("CREATE TABLE sla.yesterday AS TABLE sla.cases")
    desk.tell("CREATE TABLE sla.then AS TABLE sla.tracking")
    desk.now = local("09:35")
    assert desk.wake()  # what it decides is not read yet
    cases = desk.cases()
    desk.forget()
    if rewound:
        desk.tell("INSERT INTO sla.cases TABLE sla.yesterday")
        desk.tell("INSERT INTO sla.tracking TABLE sla.then")

    desk.read()

    assert desk.cases() == cases
