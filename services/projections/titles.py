"""Clears what read models show in clear: built again from the log, and none kept.

The queue has titles and words of labels in clear, to be searched. A row that is
overwritten leaves its words in the table's file, so the generations that had them are
dropped as a whole.
"""

from contextlib import closing

from services.projections.generations import find_live
from services.projections.read_models import MODELS
from services.projections.rebuild.builder import Busy, builder, connected
from services.projections.rebuild.processes import WorkerFailed
from services.projections.rebuild.rebuild import discard_previous, rebuild
from shared.clock import real_clock
from shared.command_line.bar import bar
from shared.eventlog.errors import Unavailable
from shared.vault.master_keys import MasterKeys

_STAGES = {"fold": "reading the log", "index": "making indexes", "compare": "comparing"}
_OPENING = tuple(model for model in MODELS.values() if model.opens_words)


def shown(url: str) -> bool:
    """Tell whether a read model that shows words in clear was ever built."""
    with closing(connected(url)) as connection:
        cursor = connection.cursor()
        return any(find_live(cursor, model.name) for model in _OPENING)


def clear(url: str, master: MasterKeys, *, hidden: bool) -> str | None:
    """Build those read models again and drop every other generation of them.

    Returns a sentence where that was not possible.
    """
    for model in _OPENING:
        try:
            with (
                builder(url, master, model) as own,
                bar(_STAGES, hidden=hidden) as told,
            ):
                rebuild(own, real_clock, told, accept=True)
                discard_previous(own)
        except (Busy, WorkerFailed, Unavailable) as error:
            return f"{model.name} still shows titles ({error}): run this command again"
    return None
