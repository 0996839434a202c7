"""Folds parts of the log in several processes at once, each fed by a thread.

Both ends of the pipes are here: `fold_in_processes` starts this module as a program,
writes a task and then part by part to its input, and reads an answer for each. It does
not use `multiprocessing`, whose children import the whole command line first and
outlive a killed parent: such a process ends with its input.
"""

import gc
import subprocess
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Lock
from typing import IO, Any

import orjson

from services.projections.read_models import MODELS
from services.projections.rebuild.fold import Logs, fold
from services.projections.rebuild.plan import Chunk, FoldCount
from shared.eventlog.errors import Unavailable, is_unavailable
from shared.eventlog.log import EventLog
from shared.observability.telemetry import wordless
from shared.vault.master_keys import MasterKeys, keys_of, text_of

_WORKER = (sys.executable, "-m", "services.projections.rebuild.worker")


TRIES_MAX = 3
"""How many processes may end while they fold the same part, killed for memory say."""


class WorkerFailed(Exception):
    """A process of the rebuild could not fold its part; there was no flip."""


class WorkersEnded(Exception):
    """Processes of the rebuild ended one after the other, killed for memory say."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of all processes: fold records up to `upto` into `schema`."""

    dsn: str
    master: MasterKeys | None
    model: str
    schema: str
    upto: int


def fold_in_processes(
    task: Task, parts: Iterator[Chunk], processes: int
) -> Generator[FoldCount, None, None]:
    """Fold `parts`, each in one of `processes`; yield each as soon as it is done.

    A process that ends is replaced, and its part folded again. Raises `WorkerFailed` if
    a part fails, `WorkersEnded` or `Unavailable`. All processes end with this iterator.
    """
    done: SimpleQueue[FoldCount | Exception | None] = SimpleQueue()
    lock, over = Lock(), Event()

    def take() -> Chunk | None:
        with lock:
            return None if over.is_set() else next(parts, None)

    def feed() -> None:
        tries = 0
        try:
            chunk = take()
            while chunk and not over.is_set():
                with _worker(task) as (tasks, answers):
                    while chunk and (folded := _fold(tasks, answers, chunk)):
                        done.put(folded)
                        chunk, tries = take(), 0
                tries += 1
                if chunk and tries == TRIES_MAX:
                    done.put(_ended(tries))
                    break
        except Exception as error:  # noqa: BLE001 # raised below, in the caller's thread
            done.put(error)
        finally:
            done.put(None)

    with ThreadPoolExecutor(processes, "rebuild") as threads:
        for _ in range(processes):
            threads.submit(feed)
        try:
            yield from _until_all_ended(done, processes)
        finally:
            over.set()


def _until_all_ended(
    done: "SimpleQueue[FoldCount | Exception | None]", processes: int
) -> Generator[FoldCount, None, None]:
    running = processes
    while running:
        match done.get():
            case None:
                running -= 1
            case FoldCount() as folded:
                yield folded
            case error:
                raise error


@contextmanager
def _worker(task: Task) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with subprocess.Popen(  # noqa: S603 # our own program
        _WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise WorkerFailed("a process of the rebuild has no pipes")
        sent = {
            "dsn": task.dsn,
            "master": text_of(task.master.keys) if task.master else None,
            "model": task.model,
            "schema": task.schema,
            "upto": task.upto,
        }
        with suppress(BrokenPipeError):
            _send(process.stdin, sent)
        try:
            yield process.stdin, process.stdout
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()


def _fold(tasks: IO[bytes], answers: IO[bytes], chunk: Chunk) -> FoldCount | None:
    """Return the size of a part once it is folded; None if the process ended."""
    with suppress(BrokenPipeError):
        _send(tasks, list(chunk))
    line = answers.readline()
    if not line:
        return None
    answer = orjson.loads(line)
    if answer.get("away"):
        raise Unavailable(answer["error"])
    if "error" in answer:
        raise WorkerFailed(
            f"a process of the rebuild failed ({answer['error']}): nothing was "
            "changed; try again"
        )
    return FoldCount(**answer)


def _ended(tries: int) -> WorkersEnded:
    return WorkersEnded(
        f"{tries} processes of the rebuild ended one after the other, perhaps killed "
        "for memory: nothing was changed; try again"
    )


def _send(pipe: IO[bytes], what: object) -> None:
    pipe.write(orjson.dumps(what) + b"\n")
    pipe.flush()


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
        return {"error": wordless(error), "away": is_unavailable(error)}


if __name__ == "__main__":
    main()
