"""Alertmanager posts, an agent works, the timeline tells it: on the whole desk."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, posted, until
from tests.support.ports import reserved_port

ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with reachable_folder() as folder, running_desk(folder) as desk:
        yield desk


def webhook(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Return the body of Alertmanager's webhook, version 4."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        "receiver": "permanence",
        "status": "firing",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {"alertname": "DiskFull", "service": "web"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts),
    }


def alert(instance: str, *, resolved: bool = False) -> dict[str, Any]:
    return {
        "status": "resolved" if resolved else "firing",
        "labels": {
            "alertname": "DiskFull",
            "instance": instance,
            "service": "web",
            "severity": "critical",
        },
        "annotations": {"summary": f"Disk of {instance} is full"},
        "startsAt": "2025-06-30T07:52:00.123456789Z",
        "endsAt": "2025-06-30T08:31:00Z" if resolved else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph",
        "fingerprint": f"fp-{instance}",
    }


def post(desk: Desk, body: dict[str, Any]) -> dict[str, Any]:
    door = f"/v1/integrations/alertmanager/{desk.tokens['alertmanager']}"
    response = posted(f"{desk.intake_url}{door}", json=body)
    assert response.status_code == 202, response.text
    return dict(response.json())


def get(desk: Desk, path: str, **query: object) -> dict[str, Any]:
    response = desk.get(path, params={k: str(v) for k, v in query.items()})
    assert response.status_code == 200, response.text
    return dict(response.json())


def command(desk: Desk, ref: str, verb: str, body: object = None) -> dict[str, Any]:
    response = desk.post(f"/v1/incidents/{ref}/{verb}", body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_two_alerts_then_one_resolved_from_eight_clients_are_two_incidents(
    desk: Desk,
) -> None:
    firing = webhook(alert("web-1"), alert("web-2"))
    then = webhook(alert("web-1", resolved=True), alert("web-2"))
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: post(desk, firing), range(5)))
        answers += clients.map(lambda _: post(desk, then), range(5))

    results = [result for answer in answers for result in answer["results"]]
    refs = {result["incident"] for result in results}
    assert len(refs) == 2
    assert sorted(r["status"] for r in results if r["status"] != "duplicate") == [
        "opened",
        "opened",
        "recovered",
    ]
    position = max(result["position"] or 0 for result in results)
    page = get(desk, "/v1/queues/all/incidents", min_position=position, status="new")
    assert [item["title"] for item in page["items"]] == ["Disk of web-2 is full"]


def test_an_agent_takes_it_resolves_it_closes_it_and_the_timeline_tells(
    desk: Desk,
) -> None:
    (result,) = post(desk, webhook(alert("web-3")))["results"]
    ref = result["incident"]

    taken = command(desk, ref, "acknowledge")
    page = get(desk, "/v1/queues/mine/incidents", min_position=taken["positions"][-1])
    assert [item["ref"] for item in page["items"]] == [ref]
    why = {"force": True, "reason": "the probe is unplugged"}
    command(desk, ref, "resolve", {"note": "log rotation was off", **why})
    closed = command(desk, ref, "close")

    told = get(
        desk, f"/v1/incidents/{ref}/timeline", min_position=closed["positions"][-1]
    )
    kinds = [item["kind"] for item in told["items"]]
    assert [kind for kind in kinds if kind.startswith("incident.")] == [
        "incident.opened",
        "incident.acknowledged",
        "incident.assigned",
        "incident.restored",
        "incident.resolved",
        "incident.closed",
    ]
    assert "log rotation was off" in json.dumps(told)


@pytest.mark.skipif(
    ALERTMANAGER is None, reason="Debian's prometheus-alertmanager is not installed"
)
def test_alertmanager_itself_opens_and_recovers(desk: Desk, tmp_path: Path) -> None:
    with alertmanager(desk, tmp_path) as url:
        now = datetime.now(UTC)
        one = {
            "labels": {"alertname": "Real", "service": "mail", "severity": "warning"},
            "annotations": {"summary": "Mail queue grows"},
            "startsAt": (now - timedelta(minutes=5)).isoformat(),
        }
        httpx.post(
            f"{url}/api/v2/alerts", json=[one], timeout=SECONDS
        ).raise_for_status()
        until(lambda: statuses(desk) == ["new"], "Alertmanager's alert is in the queue")

        ended = {**one, "endsAt": now.isoformat()}
        httpx.post(
            f"{url}/api/v2/alerts", json=[ended], timeout=SECONDS
        ).raise_for_status()
        until(lambda: statuses(desk) == ["resolved"], "its recovery resolved it")


def statuses(desk: Desk) -> list[str]:
    page = get(desk, "/v1/queues/all/incidents", q="Mail queue grows")
    return [item["status"] for item in page["items"]]


class alertmanager:  # noqa: N801 # reads as a word in `with`
    """The real Alertmanager, sending to `desk`; gives its address."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        url = f"{desk.intake_url}/v1/integrations/alertmanager"
        config = folder / "alertmanager.yml"
        config.write_text(
            f"""
route: {{receiver: permanence, group_wait: 1s, group_interval: 1s}}
receivers:
  - name: permanence
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          authorization: {{credentials: {desk.tokens["alertmanager"]}}}
""",
            encoding="utf-8",
        )
        self._port = reserved_port()
        assert ALERTMANAGER
        self._command = [
            ALERTMANAGER,
            f"--config.file={config}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--cluster.listen-address=",
        ]
        self._log = folder / "alertmanager.log"

    def __enter__(self) -> str:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{self._port}"

        def ready() -> bool:
            try:
                return httpx.get(f"{url}/-/ready", timeout=SECONDS).status_code == 200
            except httpx.HTTPError:
                return False

        until(ready, "Alertmanager is ready")
        return url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=SECONDS)
