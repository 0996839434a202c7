"""Counts the answers of an ASGI application, and measures the time to their start.

By route template and status, never by path: clients can request any number of paths. A
stream counts when it starts, since it may last all day.
"""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
"""Upper bounds of the buckets; slower requests soon end in a 503."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NOWHERE = "nowhere"
"""The route label of requests that match no route."""
UNANSWERED = "500"
"""The status if the application fails before it answers."""


class HttpMetrics:
    """`app`, with the metrics `permanence_http_…` of its answers in `registry`."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "permanence_http_requests_total",
            "Requests, by route and status of the answer.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "permanence_http_answer_seconds",
            "From the request to the beginning of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._series: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        """A cache of the series in `registry`: the library's look-up is slower."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and count its answer when it starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        answered = False

        async def note(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                self._note(scope, str(message["status"]), time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            if not answered:
                self._note(scope, UNANSWERED, time.perf_counter() - began)
            raise

    def _note(self, scope: Scope, status: str, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", NOWHERE)
        found = self._series.get((method, route, status))
        if found is None:
            counter = self._requests.labels(method, route, status)
            found = counter, self._seconds.labels(route)
            self._series[method, route, status] = found
        requests, answers = found
        requests.inc()
        answers.observe(seconds)
