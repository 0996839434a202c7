"""What follows from a part of a policy, worked out once and kept as long as the part.

A decision asks for a calendar's hours or a service's contracts; finding them again in a
large policy would make each decision slower with every service.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import finalize

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def derived(work: Callable[[Part], Answer]) -> Callable[[Part], Answer]:
    """Return `work`, called once for each part of a policy: parts are frozen.

    Parts are told apart by identity: comparing or hashing a large one takes as long as
    reading it. The answer must not refer to the part itself, which would never go away.
    """
    held: dict[int, Answer] = {}

    @wraps(work)
    def answer(part: Part) -> Answer:
        key = id(part)
        if key in held:
            return held[key]
        found = held[key] = work(part)
        finalize(part, held.pop, key, None).atexit = False
        return found

    return answer
