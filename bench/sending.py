"""Generates the load: with wrk if it is installed, otherwise with our own generator.

Both wait for each answer on a connection before the next request, so neither sends more
than is answered. `python -m bench signals` measures them against a server that answers
at once: a figure close to that one measures the generator.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

CONNECTIONS = 64
SIGNAL = (
    '{"action":"trigger","title":"a disk is full on a web server in Amsterdam",'
    '"severity":"critical","service":"web","dedup_key":"{key}",'
    '"labels":{"alertname":"DiskFull","zone":"ams"}}'
)
_SCRIPT = Path(__file__).with_name("signals.lua")


@dataclass(frozen=True)
class Load:
    """What to send: `size` signals per request, of `keys` per sender (0: all new).

    `per_second` requests, or as many as are answered (0).
    """

    prefix: str
    size: int = 1
    keys: int = 0
    connections: int = CONNECTIONS
    per_second: int = 0


@dataclass(frozen=True)
class Sent:
    """Its outcome; requests, seconds, and milliseconds from request to answer."""

    answered: int
    refused: int
    broken: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def accepted(self) -> int:
        """How many requests were answered 2xx."""
        return self.answered - self.refused


def sender_name() -> str:
    """Return the load generator that this machine has."""
    return "wrk" if shutil.which("wrk") else "bench.connections"


def start(
    url: str,
    token: str,
    load: Load,
    seconds: float,
    *,
    path: str = "/v1/events",
    signal: str = SIGNAL,
) -> subprocess.Popen[str]:
    """Start to send to `path` at `url`; `finish` returns the outcome."""
    wrk = None if load.per_second else shutil.which("wrk")  # wrk cannot limit its rate
    command = (
        [wrk, "-t1", f"-c{load.connections}", f"-d{max(1, round(seconds))}s"]
        if wrk
        else [sys.executable, "-m", "bench.connections"]
    )
    if wrk:
        command += ["--latency", "--timeout", "15s", "-s", str(_SCRIPT)]
        command += [f"{url}{path}", "--"]
        command += [load.prefix, str(load.size), str(load.keys)]
    else:
        command += [f"{url}{path}", json.dumps(asdict(load)), str(seconds)]
    environment = {**os.environ, "BENCH_TOKEN": token, "BENCH_SIGNAL": signal}
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)


def finish(process: subprocess.Popen[str]) -> Sent:
    """Wait for a generator; return its outcome."""
    output, _ = process.communicate()
    (result,) = (line for line in output.splitlines() if line.startswith("RESULT "))
    return Sent(**json.loads(result.removeprefix("RESULT ")))


def send(
    url: str,
    token: str,
    load: Load,
    seconds: float,
    *,
    path: str = "/v1/events",
    signal: str = SIGNAL,
) -> Sent:
    """Send for so many seconds."""
    return finish(start(url, token, load, seconds, path=path, signal=signal))
