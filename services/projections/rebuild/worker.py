"""One process of a rebuild: told on standard input what to fold, answers on output.

Not of `multiprocessing`, whose children import the whole command line first and outlive
a parent that is killed: this one ends with its input.
"""

import gc
import sys
from typing import Any

import orjson

from services.projections.read_models import MODELS
from services.projections.rebuild.fold import Chunk, Logs, fold
from shared.eventlog.log import EventLog
from shared.observability.telemetry import wordless
from shared.vault.master_keys import MasterKeys, keys_of


def main() -> None:
    """Take a task, then fold part after part of it until the input ends."""
    task = orjson.loads(sys.stdin.buffer.readline())
    master = MasterKeys(keys_of(task["master"])) if task["master"] else None
    logs = Logs(
        EventLog.open(task["dsn"], master=master, pool_size=1),
        EventLog.open(task["dsn"], pool_size=1),
    )
    # Entries hold no cycles, and looking for some took a third of the time.
    gc.disable()
    gc.freeze()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(orjson.dumps(_answer(logs, task, line)) + b"\n")
        sys.stdout.buffer.flush()
        gc.collect()


def _answer(logs: Logs, task: dict[str, Any], line: bytes) -> dict[str, object]:
    chunk = Chunk(*orjson.loads(line))
    model, schema, upto = MODELS[task["model"]], task["schema"], task["upto"]
    try:
        return fold(logs, model, schema, chunk, upto)._asdict()
    except Exception as error:  # noqa: BLE001 # whoever asked raises it again
        return {"error": wordless(error)}


if __name__ == "__main__":
    main()
