"""An overload of signals, at the maximum rate and at three times that: none is lost.

`python -m bench.storm [--minutes N] [--json]`. A whole desk, every incident promised.
First as many arrays as are answered, which gives the maximum; then three times as many
per second, over so many connections that more requests wait than may. Each signal
answered 2xx must be recorded, every other one must have been refused; memory must stay
bounded.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from statistics import median
from typing import Annotated

import httpx
import typer

from bench.desk import PROMISING
from bench.drained import wait_until_drained
from bench.figure import Figure, show
from bench.memory import Megabytes, watched
from bench.sending import Load, Sent, send
from shared.eventlog.log import EventLog
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder

ARRAY = 100
KEYS = 5_000
"""Alerts that repeat: the first signal opens an incident, the others are counted."""
ABOVE = 3
CEILING = Load("ceiling", ARRAY, keys=KEYS, connections=8)
FLOOD = Load("flood", ARRAY, keys=KEYS, connections=400)
DRAIN_SECONDS = 900
_COUNTED = re.compile(
    r'^permanence_signals_total\{status="(\w+)"\} (\S+)$', re.MULTILINE
)


@dataclass(frozen=True)
class Storm:
    """What was sent, and the result; memory, polled every second."""

    sent: Sent
    became: Mapping[str, int]
    looks: list[Megabytes]

    @property
    def accepted(self) -> int:
        """Signals answered 2xx."""
        return self.sent.accepted * ARRAY


def main(
    minutes: Annotated[float, typer.Option(help="Each of the two lasts so long.")] = 10,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print; fails if a signal is not accounted for."""
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True, setting=PROMISING) as desk,
        closing(desk.log()) as log,
    ):
        send(desk.intake_url, desk.tokens["source"], replace(CEILING, prefix="w"), 5.0)
        found = list(figures(desk, log, minutes * 60))
    show("storm", f"{minutes:g} minutes each", found, as_json=as_json)


def figures(desk: Desk, log: EventLog, seconds: float) -> Iterator[Figure]:
    """Measure at the maximum rate, then above it."""
    ceiling = _storm(desk, log, CEILING, seconds)
    rate = ceiling.accepted / ceiling.sent.seconds
    yield from _told("at the ceiling", ceiling)
    pace = round(ABOVE * rate / ARRAY)
    flood = _storm(desk, log, replace(FLOOD, per_second=pace), seconds)
    yield from _told(f"{ABOVE} times above it", flood)


def _storm(desk: Desk, log: EventLog, load: Load, seconds: float) -> Storm:
    wait_until_drained(log, DRAIN_SECONDS)  # of what came before
    before = _became(desk)
    with watched(desk, 1.0) as looks:
        sent = send(desk.intake_url, desk.tokens["source"], load, seconds)
        wait_until_drained(log, DRAIN_SECONDS)
    after = _became(desk)
    became = {name: after[name] - before.get(name, 0) for name in after}
    storm = Storm(sent, became, list(looks))
    most = storm.accepted + load.connections * ARRAY
    assert storm.accepted <= sum(became.values()) <= most, (
        f"{storm.accepted} signals were answered 2xx, but {became}: this run is void"
    )
    assert not sent.broken, f"{sent.broken} requests had no answer"
    return storm


def _told(when: str, storm: Storm) -> Iterator[Figure]:
    rate = storm.accepted / storm.sent.seconds
    became = ", ".join(f"{name} {n:,}" for name, n in storm.became.items() if n)
    yield Figure(f"accepted {when}", rate, "/s", note=became)
    refused = 100 * storm.sent.refused / storm.sent.answered
    yield Figure(
        f"requests refused {when}",
        refused,
        "%",
        note=f"of {storm.sent.answered:,}; each was answered 429 or 503",
    )
    tenth = max(1, len(storm.looks) // 10)
    for name in storm.looks[0]:
        held = [look[name] for look in storm.looks]
        yield Figure(
            f"memory of {name} {when}",
            median(held[-tenth:]),
            "MB",
            min(held),
            max(held),
            bound=median(held[tenth : 2 * tenth] or held),
            beside="in the second tenth of it",
        )


def _became(desk: Desk) -> dict[str, int]:
    text = httpx.get(f"{desk.intake_url}/metrics").text
    return {status: int(float(number)) for status, number in _COUNTED.findall(text)}


if __name__ == "__main__":
    typer.run(main)
