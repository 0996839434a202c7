"""A running desk tells Prometheus what rules and board ask, and a watcher outside."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP, SIGTERM, Signals
from typing import Any

import httpx
import psutil
import pytest

from tests.support.desks.supervised import RunningDesk, running_desk
from tests.support.folders import reachable_folder
from tests.support.monitoring import DEPLOY, exported, names_in, queries, rules
from tests.support.patience import SECONDS, until
from tests.support.ports import reserved_port
from tests.support.servers.dead_mans_switch import WatcherOutside, watcher_outside
from tests.support.servers.server import Server

PROMETHEUS = shutil.which("prometheus")
PORTS = {
    "PERMANENCE_API_PORT": 8080,
    "PERMANENCE_INTAKE_PORT": 8081,
    "PERMANENCE_SLA_WATCHER_PORT": 8082,
    "PERMANENCE_ESCALATION_PORT": 8083,
}
"""The settings of `make up`, and what they are in deploy/prometheus.yaml."""
BEATING = {"intake", "projections", "sla_watcher", "escalation"}
"""Those whose heartbeat is wired."""
FROM_OTHERS = {"up", "node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
"""Metrics that Prometheus itself and node_exporter bring."""
FROM_LDAP = {"permanence_ldap_failed", "permanence_ldap_leads"}
"""Metrics of a desk that follows LDAP: test_people_from_ldap.py reads them."""


@dataclass(frozen=True)
class Watched:
    """A desk as `permanence up` runs it, and who hears its heartbeat."""

    desk: RunningDesk
    outside: WatcherOutside
    folder: Path

    def url(self, setting: str) -> str:
        """Return the address of the service whose port a setting names."""
        return f"http://127.0.0.1:{self.desk.environment[setting]}"

    def heard(self) -> set[str]:
        """Return whom the watcher outside has heard."""
        return {path.removeprefix("/key-1/") for _, path in self.outside.heard}

    def until_heard(self) -> None:
        """Return once each service has been heard, from now on."""
        self.outside.heard.clear()
        until(lambda: self.heard() >= BEATING, "each service is heard")


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with ExitStack() as held:
        folder = held.enter_context(reachable_folder())
        outside = held.enter_context(watcher_outside())
        command = (str(Path(sys.executable).parent / "permanence"), "up")
        desk = held.enter_context(
            running_desk(
                folder / "home",
                command,
                PERMANENCE_HEARTBEAT_URL=f"{outside.url}/key-1/{{service}}",
                PERMANENCE_HEARTBEAT_SECONDS="1",
            )
        )
        yield Watched(desk.until_up(), outside, folder)


def test_rules_and_board_ask_for_what_a_desk_exports(watched: Watched) -> None:
    asked = set.union(*map(names_in, [*(rule.expr for rule in rules()), *queries()]))

    def missing() -> set[str]:
        there = {
            name
            for setting in PORTS
            for name in exported(
                httpx.get(f"{watched.url(setting)}/metrics", timeout=SECONDS).text
            )
        }
        return asked - there - FROM_OTHERS - FROM_LDAP

    # A part that is slow for a moment has no numbers then.
    until(lambda: missing() == set(), lambda: str(missing()))


def test_a_watcher_outside_hears_each_service_and_the_log_never_its_key(
    watched: Watched,
) -> None:
    watched.until_heard()
    assert {method for method, _ in watched.outside.heard} == {"POST"}
    assert "key-1" not in watched.desk.said


def _is_silent(service: str) -> str:
    """Return the expression for a service that said last that it withholds its beat.

    One that was late for a moment, on a machine that is busy, has said so before.
    """
    said = rf"\b{service} │ [^\n]*heartbeat\."
    return f"(?=.*{said}withheld(?!.*{said}resumed))"


def test_nobody_beats_while_postgresql_hangs(watched: Watched) -> None:
    watched.until_heard()  # what is withheld from now on is said anew
    postgres = psutil.Process(watched.desk.run.pids["postgres"])
    family = [postgres]
    try:
        postgres.send_signal(SIGSTOP)  # it starts no others from now on
        family += postgres.children(recursive=True)
        for process in family:
            _signal(process, SIGSTOP)
        watched.desk.until(r"(?s)\A" + "".join(map(_is_silent, sorted(BEATING))))
        watched.outside.heard.clear()
        url = watched.url("PERMANENCE_INTAKE_PORT")
        assert httpx.get(f"{url}/health/ready", timeout=SECONDS).status_code == 503
        assert watched.heard() == set()
    finally:
        for process in family:
            _signal(process, SIGCONT)
    watched.until_heard()


def _signal(process: psutil.Process, signal: Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal)


class Prometheus:
    """Debian's Prometheus with our configuration, but for ports and patience."""

    def __init__(self, watched: Watched) -> None:
        text = (DEPLOY / "prometheus.yaml").read_text(encoding="utf-8")
        for setting, port in PORTS.items():
            ours = watched.desk.environment[setting]
            assert text.count(f"127.0.0.1:{port}") == 1
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ours}")
        text = text.replace("15s", "1s").replace("[alerts", f"[{DEPLOY}/alerts")
        file = watched.folder / "prometheus.yaml"
        file.write_text(text, encoding="utf-8")
        address = f"127.0.0.1:{reserved_port()}"
        self._url = f"http://{address}/api/v1"
        command = [
            str(PROMETHEUS),
            f"--config.file={file}",
            f"--storage.tsdb.path={watched.folder / 'tsdb'}",
            f"--web.listen-address={address}",
        ]
        log = watched.folder / "prometheus.log"
        self.server = Server(command, None, log, SIGTERM)

    def ask(self, path: str, **params: str) -> Any:
        """Return what it answers; None while it does not, and where it cannot."""
        try:
            answer = httpx.get(f"{self._url}/{path}", params=params, timeout=SECONDS)
        except httpx.TransportError:
            return None
        return answer.json()["data"] if answer.status_code == 200 else None

    def sees_all(self) -> bool:
        """Tell whether it has read every service."""
        targets = (self.ask("targets") or {}).get("activeTargets", [])
        return [t["health"] for t in targets] == ["up"] * len(PORTS)

    def services_up(self) -> int:
        """Return how many services the first panel counts."""
        found = (self.ask("query", query=queries()[0]) or {}).get("result", [])
        return sum(int(each["value"][1]) for each in found)

    def evaluated(self) -> dict[str, str]:
        """Return how each rule fares, by its name."""
        groups = (self.ask("rules") or {}).get("groups", [])
        return {rule["name"]: rule["health"] for g in groups for rule in g["rules"]}


@pytest.fixture
def prometheus(watched: Watched) -> Iterator[Prometheus]:
    if PROMETHEUS is None:
        pytest.skip("no prometheus here: apt-get install prometheus (.ci/run does)")
    it = Prometheus(watched)
    it.server.start()
    try:
        until(it.sees_all, "Prometheus reads all four services")
        yield it
    finally:
        it.server.stop()


def test_a_real_prometheus_reads_the_desk_and_finds_nothing_wrong(
    prometheus: Prometheus,
) -> None:
    well = dict.fromkeys((rule.alert for rule in rules()), "ok")

    until(lambda: prometheus.evaluated() == well, "each rule is evaluated")
    until(lambda: prometheus.ask("alerts") == {"alerts": []}, "no alert is pending")


def test_a_real_prometheus_answers_every_panel_of_the_board(
    prometheus: Prometheus,
) -> None:
    for query in queries():
        asked = query.replace("$__rate_interval", "1m")
        until(
            lambda asked=asked: isinstance(prometheus.ask("query", query=asked), dict),  # type: ignore[misc] # mypy knows no default of a lambda
            f"it answers {query}",
        )
    # A service that takes a second to answer, on a busy machine, counts as down.
    until(lambda: prometheus.services_up() == len(PORTS), "all services are up")
