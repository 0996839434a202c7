"""Liveness and readiness of a process, judged by its progress, and its metrics.

Ready means that the log is reachable and no part of the process is far behind it. An
open connection proves neither.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

READY = 200
NOT_READY = 503
REMEMBERED_SECONDS = 1.0
"""How long the results of probes are cached, so that frequent requests are cheap."""
UNREADY_REMEMBERED_SECONDS = 0.1
"""The same while a part is not ready: somebody waits for it to become so."""
PROBE_SECONDS = 3.0
"""How long a probe may take before its part counts as not ready."""


@dataclass(frozen=True)
class Check:
    """The state that one part of a process reports.

    `kind` is `reader`, `relay` and so on, `name` identifies one of them. `words` are
    for people; `numbers` become the metrics `permanence_<kind>_<number>{name=…}`,
    counters if they end in `_total`. `alarm` says what a person has to do something
    about although the process does its own work, as while a mail server is away; it is
    `permanence_<kind>_alarm{name=…}` as well.
    """

    kind: str
    name: str
    ready: bool
    words: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    alarm: str = ""


Probe = Callable[[], Awaitable[Check]]


class Health:
    """The health of a process, from the probes of its parts."""

    def __init__(self, probes: Sequence[Probe], registry: CollectorRegistry) -> None:
        self._probes = probes  # not a copy: a service adds probes as its parts start
        self._registry = registry
        self._checks: Sequence[Check] = ()
        self._checked_at = float("-inf")
        self._asked: dict[Probe, asyncio.Future[Check]] = {}
        registry.register(_Numbers(lambda: self._checks))
        ProcessCollector(registry=registry)  # memory, processor time, open files

    def routes(self) -> list[Route]:
        """Return `/health/live`, `/health/ready` and `/metrics`."""
        return [
            Route("/health/live", self._live),
            Route("/health/ready", self._ready),
            Route("/metrics", self._metrics),
        ]

    async def checks(self) -> Sequence[Check]:
        """Return the checks of all parts, at most a second old."""
        ready = all(check.ready for check in self._checks)
        remembered = REMEMBERED_SECONDS if ready else UNREADY_REMEMBERED_SECONDS
        if time.monotonic() - self._checked_at > remembered:
            self._checks = await asyncio.gather(*map(self._check, self._probes))
            self._checked_at = time.monotonic()
        return self._checks

    async def _check(self, probe: Probe) -> Check:
        """Return the check of a probe; a hanging one is not called a second time."""
        asked = self._asked.get(probe)
        if asked is None or asked.done():
            asked = self._asked[probe] = asyncio.ensure_future(probe())
        answered, _ = await asyncio.wait({asked}, timeout=PROBE_SECONDS)
        if answered:
            return asked.result()
        words = {"why": f"it gave no answer for {PROBE_SECONDS:.0f} s"}
        name = str(self._probes.index(probe) + 1)
        return Check("probe", name, ready=False, words=words)

    async def _live(self, _: Request) -> Response:
        return _json({"status": "live"}, READY)

    async def _ready(self, _: Request) -> Response:
        checks = await self.checks()
        ready = all(check.ready for check in checks)
        body = {
            "status": "ready" if ready else "not ready",
            "checks": [
                {"kind": check.kind, "name": check.name, "ready": check.ready}
                | {word: told for word, told in check.words.items() if told}
                | ({"alarm": check.alarm} if check.alarm else {})
                | dict(check.numbers)
                for check in checks
            ],
        }
        return _json(body, READY if ready else NOT_READY)

    async def _metrics(self, _: Request) -> Response:
        await self.checks()
        content = await asyncio.to_thread(generate_latest, self._registry)
        return Response(content, media_type=CONTENT_TYPE_LATEST)


def _json(body: object, status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


class _Numbers(Collector):
    """The numbers of all checks, in the form of prometheus_client."""

    def __init__(self, checks: Callable[[], Sequence[Check]]) -> None:
        self._checks = checks

    def collect(self) -> Iterable[Metric]:
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for check in self._checks():
            states = {"ready": float(check.ready), "alarm": float(bool(check.alarm))}
            numbers = {**check.numbers, **states}
            for number, value in numbers.items():
                name = f"permanence_{check.kind}_{number}"
                if name not in families:
                    families[name] = _family(name, check.kind)
                families[name].add_metric([check.name], value)
        return families.values()

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names are known only after the probes were called."""
        return ()


def _family(name: str, kind: str) -> GaugeMetricFamily | CounterMetricFamily:
    form = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    return form(name, f"Of each {kind}.", labels=["name"])
