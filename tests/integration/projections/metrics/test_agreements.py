"""Promises in metrics against what was promised and what was agreed; whose breaches."""

from typing import Any

import pytest

from tests.support.builders.june_log import (
    HOUR,
    ONE,
    THREE,
    TWO,
    June,
    figures,
    june,
    promise,
)
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

TTR = {"target": "ttr", "cycle": 1}


def opened(month: June, ref: str, day: int) -> None:
    month.opens(june(day, 8), ref)
    promise(month, ref, day, 8)


def met(month: June, ref: str, day: int, hours: int, promised: int | None) -> None:
    """Keep TTR on a day after so many hours, with a longer delay or none."""
    words = {"met_at": june(day), "elapsed_seconds": hours * HOUR, "seconds": 20 * HOUR}
    original = {"original_seconds": promised * HOUR} if promised else {}
    month.says(june(day), "sla.met", ref, **TTR, **words, **original)


def broken(month: June, ref: str, day: int) -> None:
    words = {"contract": "ville", "seconds": 8 * HOUR, "due_at": june(day)}
    month.says(june(day), "sla.breached", ref, **TTR, **words, breached_at=june(day))


def all_broken(month: June, *refs: str) -> None:
    """Open some, and break the promise about each on 5 June."""
    for ref in refs:
        opened(month, ref, 2)
    for ref in refs:
        broken(month, ref, 5)


def done(month: June, ref: str, day: int, hours: int, agreed: int | None) -> None:
    words = {"elapsed_seconds": hours * HOUR, "overrun_seconds": (hours - 8) * HOUR}
    since = {"agreed_seconds": agreed * HOUR} if agreed else {}
    month.says(
        june(day), "sla.overran", ref, **TTR, **words, **since, done_at=june(day)
    )


def says(month: June, ref: str, day: int, party: str) -> None:
    month.says(june(day), "sla.breach_attributed", ref, **TTR, party=party)


def ttr(api: Api, month: June, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = figures(api, month, **given)["sla"]["ttr"]
    return found


def test_kept_after_an_extension_it_is_met_and_not_as_promised_at_first(
    api: Api, month: June
) -> None:
    for number, ref in enumerate((ONE, TWO, THREE), 2):
        opened(month, ref, number)
    met(month, ONE, 5, hours=15, promised=8)
    met(month, TWO, 6, hours=7, promised=8)
    met(month, THREE, 7, hours=7, promised=None)

    found = ttr(api, month)

    assert (found["met"], found["met_after_extension"]) == (3, 1)
    assert found["share"] == found["against_agreed"] == 1
    assert found["against_original"] == 0.6667


def test_agreed_on_after_the_breach_it_undoes_no_breach(api: Api, month: June) -> None:
    all_broken(month, ONE, TWO)
    done(month, ONE, 6, hours=12, agreed=15)
    done(month, TWO, 7, hours=16, agreed=15)

    found = ttr(api, month)

    assert (found["met"], found["breached"], found["done_as_agreed"]) == (0, 2, 1)
    assert (found["share"], found["against_original"]) == (0, 0)
    assert found["against_agreed"] == 0.5


def test_down_again_it_was_not_done_as_agreed_after_all(api: Api, month: June) -> None:
    opened(month, ONE, 2)
    broken(month, ONE, 4)
    done(month, ONE, 5, hours=12, agreed=15)
    again = {"cause": "relapsed", "continued_at": june(6), "due_at": june(4)}
    month.says(june(6), "sla.continued", ONE, **TTR, **again)
    assert ttr(api, month)["done_as_agreed"] == 0
    done(month, ONE, 7, hours=14, agreed=15)

    assert ttr(api, month)["done_as_agreed"] == 1


def test_every_breach_is_somebodys_or_nobodys_by_the_last_word(
    api: Api, month: June
) -> None:
    all_broken(month, ONE, TWO, THREE)
    says(month, ONE, 8, "provider")
    says(month, ONE, 9, "user")
    says(month, TWO, 9, "vendor")
    done(month, TWO, 10, hours=12, agreed=15)

    found = ttr(api, month)

    assert found["breached_by"] == {
        "user": 1,
        "vendor": 1,
        "provider": 0,
        "unattributed": 1,
    }
    assert sum(found["breached_by"].values()) == found["breached"] == 3
    assert found["done_as_agreed"] == 1


def test_it_counts_where_the_breach_was_recorded_in_every_part_and_group(
    api: Api, month: June
) -> None:
    opened(month, ONE, 2)
    broken(month, ONE, 5)
    says(month, ONE, 20, "user")

    early = ttr(api, month, to="2025-06-10")
    late = ttr(api, month, **{"from": "2025-06-10"})

    assert early["breached_by"]["user"] == early["breached"] == 1
    assert late["breached"] == sum(late["breached_by"].values()) == 0
    (group,) = [
        each["figures"]["sla"]["ttr"]["breached_by"]
        for each in api.get(
            "/v1/metrics",
            min_position=month.position,
            group_by="service",
            **{"from": "2025-06-01", "to": "2025-07-01"},
        )["groups"]
    ]
    assert group == early["breached_by"]
