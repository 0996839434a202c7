"""What a service does before it reads: see to it that there is a live generation."""

from typing import Any

from services.projections.generations import find_live
from services.projections.read_model import ReadModel
from services.projections.rebuild.builder import builder
from services.projections.rebuild.rebuild import rebuild
from shared.clock import Clock


def ensure(dsn: str, master: bytes | None, model: ReadModel[Any], clock: Clock) -> str:
    """Return the live schema of `model`, built first where none has today's shape.

    Of several services that start at once, one builds and the others wait. Blocks.
    """
    with builder(dsn, master, model, wait=True) as own:
        live = find_live(own.cursor, model.name)
        if live is not None and live.shape == model.shape:
            return live.schema
        return rebuild(own, clock, lambda _stage, _done, _of: None).schema
