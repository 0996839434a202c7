"""What none of an application's routes takes is answered like every other "no"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from shared.problem import Problem, response

PATH_SHOWN = 256


def complete(routes: Sequence[Route]) -> list[Route]:
    """Return `routes` and, last, one for all that is asked beside them."""
    rest = Route("/{path:path}", _NothingHere(routes))
    # A path may hold the end of a line (%0A), which the usual pattern stops at.
    rest.path_regex = re.compile(f"(?s){rest.path_regex.pattern}")
    return [*routes, rest]


@dataclass(frozen=True)
class _NothingHere:
    """The endpoint for what is not there, and for methods that are not taken."""

    routes: Sequence[Route]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = request.url.path[:PATH_SHOWN]
        near = [r for r in self.routes if r.matches(scope)[0] is not Match.NONE]
        methods = sorted({method for route in near for method in route.methods or ()})
        there_is = ", ".join(dict.fromkeys(route.path for route in self.routes))
        no = (
            Problem(405, f"{request.method} is not for {path}: {', '.join(methods)} is")
            if near
            else Problem(404, f"there is nothing at {path}: there is {there_is}")
        )
        answer = response(no.details)
        if near:
            answer.headers["Allow"] = ", ".join(methods)
        await answer(scope, receive, send)
