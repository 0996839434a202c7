"""A service in a thread of the test: it can be looked into, and starts at once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import uvloop

from tests.support.patience import SECONDS

Service = Callable[[asyncio.Event, Callable[[int], None]], Awaitable[None]]


@contextmanager
def running(service: Service) -> Iterator[int]:
    """Run `service(stop, listening)`; give the port it listens on."""
    begun: Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Queue()
    ports: Queue[int | None] = Queue()

    async def main() -> None:
        stop = asyncio.Event()
        begun.put((asyncio.get_running_loop(), stop))
        await service(stop, ports.put)

    def work() -> None:
        try:
            uvloop.run(main())
        finally:
            ports.put(None)

    thread = threading.Thread(target=work)
    thread.start()
    loop, stop = begun.get(timeout=SECONDS)
    port = ports.get(timeout=SECONDS)
    assert port is not None, "the service ended at once: its error is above"
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=SECONDS)
        assert not thread.is_alive(), "the service does not stop"
