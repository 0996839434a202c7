"""The bound of HTTP: our server with a constant answer behind it.

`python -m bench.constant PORT` reads each body and answers as intake does.
"""

import sys

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.http.serve import serve, stop_on_signals

ANSWER = (
    b'{"accepted":1,"duplicates":0,"rejected":0,"results":[{"index":0,"status":'
    b'"opened","event_id":null,"dedup_key":"new-0-1","incident":"INC-000001",'
    b'"position":1,"error":null,"loc":null}]}'
)


async def constant(request: Request) -> Response:
    """Read the body, return the constant answer."""
    await request.body()
    return Response(ANSWER, 202, media_type="application/json")


async def main(port: int) -> None:
    """Serve until told to stop."""
    app = Starlette(routes=[Route("/v1/events", constant, methods=["POST"])])
    await serve(app, "127.0.0.1", port, stop_on_signals())


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
