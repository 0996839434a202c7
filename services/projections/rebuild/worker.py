"""One process of a rebuild: reads tasks on standard input, answers on standard output.

It does not use `multiprocessing`, whose children import the whole command line first
and outlive a killed parent: this process ends with its input.
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
    """Read a task, then fold its parts one by one until the input ends."""
    task = orjson.loads(sys.stdin.buffer.readline())
    master = MasterKeys(keys_of(task["master"])) if task["master"] else None
    logs = Logs(
        EventLog.open(task["dsn"], master=master, pool_size=1),
        EventLog.open(task["dsn"], pool_size=1),
    )
    # Entries have no reference cycles; searching for some took a third of the time.
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
    except Exception as error:  # noqa: BLE001 # the parent raises it again
        return {"error": wordless(error)}


if __name__ == "__main__":
    main()
