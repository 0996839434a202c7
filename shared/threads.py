"""Calls what blocks from a coroutine, in the threads that the caller was given."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


async def in_thread(
    threads: Executor,
    call: Callable[_Given, _Result],
    *args: _Given.args,
    **kwargs: _Given.kwargs,
) -> _Result:
    """Return what `call`, which blocks, returns; it runs in one of `threads`."""
    work = partial(call, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(threads, work)
