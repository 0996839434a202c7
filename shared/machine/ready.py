"""Waits until a service answers that it is ready."""

import asyncio
import json
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from time import monotonic

import psutil

from shared.machine.ports import HOST
from shared.machine.trouble import Trouble

_LOOK_EVERY = 0.1
_OK = 200


async def wait_until_ready(
    name: str,
    port: int,
    pid: Callable[[], int | None],
    trying: Callable[[], bool],
    patience: float = 60,
) -> None:
    """Return once `GET /health/ready` answers 200, and it is our process that answers.

    Trouble: nobody is `trying` to run it any more, or `patience` seconds are over.
    """
    deadline = monotonic() + patience
    answer = ""
    while trying() and monotonic() < deadline:
        status, answer = await asyncio.to_thread(ask_ready, port)
        if status == _OK and listens(pid(), port):
            return
        await asyncio.sleep(_LOOK_EVERY)
    said = f" It last answered: {answer}" if answer else ""
    raise Trouble(f"{name} did not become ready; its lines above say why.{said}")


def listens(pid: int | None, port: int) -> bool:
    """Tell whether the process or one of its children listens on `port`.

    Else another desk that was quicker to take the port would be taken for ours.
    """
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        return any(
            socket.status == psutil.CONN_LISTEN and socket.laddr.port == port
            for member in (process, *process.children(recursive=True))
            for socket in member.net_connections("inet")
        )
    except psutil.Error:  # it has just ended
        return False


def ask_ready(port: int) -> tuple[int, str]:
    """Return status and a short answer of a service; 0 where nobody answers."""
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        return response.status, _short(response.read(4096))
    except (OSError, HTTPException):
        return 0, ""
    finally:
        connection.close()


def _short(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body))[:500]
    except ValueError:
        return body.decode("utf-8", "replace")[:500]
