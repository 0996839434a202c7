"""What comes before following: see to it that there is a live generation."""

from typing import Any

from services.projections.generations import find_live
from services.projections.read_model import ReadModel
from services.projections.rebuild.builder import builder
from services.projections.rebuild.rebuild import rebuild
from shared.clock import Clock


class Newer(Exception):
    """A newer program has built the live generation: this one must not touch it."""


def ensure(dsn: str, master: bytes | None, model: ReadModel[Any], clock: Clock) -> str:
    """Return the live schema of `model`, built first where there is none of its shape.

    Of several services that start at once, one builds and the others wait. Raises
    `Newer`, or `Unavailable`. Blocks.
    """
    with builder(dsn, master, model, wait=True) as own:
        live = find_live(own.cursor, model.name)
        if live is not None and live.shape > model.shape:
            raise Newer(
                f"{live.schema} was built by a newer program: start that one, or go "
                f"back with `permanence rebuild {model.name} --rollback`"
            )
        if live is not None and live.shape == model.shape:
            return live.schema
        return rebuild(own, clock, lambda _stage, _done, _of: None).schema
