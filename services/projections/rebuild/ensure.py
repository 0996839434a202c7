"""What comes before following: see to it that there is a live generation."""

from typing import Any

from services.projections.generations import Live, find_live
from services.projections.read_model import ReadModel
from services.projections.rebuild.builder import builder, connected
from services.projections.rebuild.rebuild import rebuild
from shared.clock import Clock
from shared.vault.master_keys import MasterKeys


class Newer(Exception):
    """A newer program has built the live generation: this one must not touch it."""


def ensure(
    dsn: str, master: MasterKeys | None, model: ReadModel[Any], clock: Clock
) -> str:
    """Return the live schema of `model`, built first if its shape is missing.

    Of several services that start at once, one builds and the others wait; one that is
    good is not waited for, even while somebody rebuilds it. Raises `Newer`, or
    `Unavailable`. Blocks.
    """
    with connected(dsn) as connection:
        good = _good(find_live(connection.cursor(), model.name), model)
    if good is not None:
        return good
    with builder(dsn, master, model, wait=True) as own:
        good = _good(find_live(own.cursor, model.name), model)
        return good or rebuild(own, clock, lambda _stage, _done, _of: None).schema


def _good(live: Live | None, model: ReadModel[Any]) -> str | None:
    if live is None or live.shape < model.shape:
        return None
    if live.shape > model.shape:
        raise Newer(
            f"{live.schema} was built by a newer program: start that one, or go back "
            f"with `permanence rebuild {model.name} --rollback`"
        )
    return live.schema
