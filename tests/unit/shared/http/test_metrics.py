"""Answers are counted by route and status, however many paths are asked for."""

import asyncio

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.error_responses import complete
from shared.http.metrics import HttpMetrics


async def item(request: Request) -> Response:
    """Answer 404 for the item `none`."""
    missing = request.path_params["name"] == "none"
    return PlainTextResponse("", 404 if missing else 200)


async def broken(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - as ASGI calls it
    raise RuntimeError("a mistake")


ITEMS = Router(routes=complete([Route("/items/{name}", item)]))


def counted(app: ASGIApp, *asked: tuple[str, str]) -> CollectorRegistry:
    """Ask `app` for these methods and paths; return what was counted."""
    registry = CollectorRegistry()
    transport = httpx.ASGITransport(
        HttpMetrics(app, registry), raise_app_exceptions=False
    )

    async def ask() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as web:
            for method, path in asked:
                await web.request(method, path)

    asyncio.run(ask())
    return registry


def requests(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for family in registry.collect()
        for s in family.samples
        if s.name == "permanence_http_requests_total"
    }


def test_many_paths_of_one_route_are_one_line_for_each_status() -> None:
    registry = counted(
        ITEMS, *[("GET", f"/items/{name}") for name in ("a", "b", "none")]
    )

    assert requests(registry) == {
        ("GET", "/items/{name}", "200"): 2,
        ("GET", "/items/{name}", "404"): 1,
    }


def test_nobody_makes_a_new_line_by_asking_for_nonsense() -> None:
    nonsense = [("BREW", f"/items/{n}") for n in range(3)]
    registry = counted(ITEMS, *nonsense, ("GET", "/x"), ("GET", "/y"))

    assert set(requests(registry)) == {
        ("other", "/{path:path}", "405"),
        ("GET", "/{path:path}", "404"),
    }


def test_an_application_without_such_a_route_says_nowhere() -> None:
    registry = counted(Router(routes=[]), ("GET", "/x"), ("GET", "/y"))

    assert requests(registry) == {("GET", "nowhere", "404"): 2}


def test_an_application_that_breaks_is_counted_too() -> None:
    registry = counted(broken, ("GET", "/"))

    assert requests(registry) == {("GET", "nowhere", "500"): 1}


def test_how_long_an_answer_took_to_begin_is_in_few_buckets() -> None:
    registry = counted(ITEMS, ("GET", "/items/a"))

    def sample(name: str, **labels: str) -> float | None:
        labels = {"route": "/items/{name}", **labels}
        return registry.get_sample_value(
            f"permanence_http_answer_seconds{name}", labels
        )

    assert sample("_count") == 1
    assert sample("_bucket", le="+Inf") == 1
    assert sample("_sum") == pytest.approx(0, abs=5)
