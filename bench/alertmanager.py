"""The bound without durability: Alertmanager's own API, which keeps alerts in memory.

It does a different job: it groups and silences, and after a restart has forgotten what
it had not posted.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.figure import Figure, median_of
from bench.sending import Load, send
from standalone.ports import free_port
from tests.support.folders import reachable_folder
from tests.support.patience import until

PROGRAM = "prometheus-alertmanager"
ARRAY = 100
_ALERT = (
    '{"labels":{"alertname":"DiskFull","zone":"ams","severity":"critical",'
    '"service":"web","instance":"{key}"},'
    '"annotations":{"summary":"a disk is full on a web server in Amsterdam"}}'
)
CASES = {
    "one a request": (Load("one"), f"[{_ALERT}]"),
    f"arrays of {ARRAY}": (Load("many", ARRAY, connections=8), _ALERT),
}
_CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def figures(rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure how many alerts per second it accepts."""
    with reachable_folder(on_disk=True) as folder, _serving(folder) as url:
        for what, (load, alert) in CASES.items():
            rates = []
            for _ in range(rounds):
                sent = send(url, "", load, seconds, path="/api/v2/alerts", signal=alert)
                assert not sent.refused, sent
                rates.append(sent.accepted * load.size / sent.seconds)
            yield median_of(what, rates, "/s")


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    port = free_port()
    config = folder / "alertmanager.yml"
    config.write_text(_CONFIG, encoding="utf-8")
    command = [
        PROGRAM,
        f"--config.file={config}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/-/ready").is_success
        except httpx.HTTPError:
            return False

    try:
        until(answers, "Alertmanager answers", 60)
        yield url
    finally:
        process.terminate()
        process.wait()
