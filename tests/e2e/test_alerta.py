"""Alerta's own client reports to a running desk, as it would to Alerta."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS

ALERTA = Path(sys.executable).parent / "alerta"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with reachable_folder() as folder, running_desk(folder) as desk:
        yield desk


def sent(url: str, home: Path, *said: str) -> str:
    """Let the client send an alert; return what it prints, its exit code after it."""
    (home / ".alerta.conf").write_text(f"[DEFAULT]\ntimeout = {SECONDS}\n")
    # Without TERM it does not read alerts from its input instead.
    ran = subprocess.run(
        [ALERTA, "--endpoint-url", url, "send", *said],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return f"{ran.stdout}{ran.stderr}{ran.returncode}"


def alert(severity: str) -> tuple[str, ...]:
    named = ("-r", "web-9", "-e", "HttpDown", "-E", "Production", "-S", "web")
    return (*named, "-s", severity, "-t", "The shop answers 503")


@pytest.mark.parametrize("address", ["intake_url", "api_url"])
def test_its_alerts_open_repeat_and_recover(
    desk: Desk, tmp_path: Path, address: str
) -> None:
    door = f"{getattr(desk, address)}/v1/integrations/alerta/{desk.tokens['source']}"
    tag = ("-C", address)

    opened = sent(door, tmp_path, *alert("critical"), *tag)
    again = sent(door, tmp_path, *alert("critical"), *tag)
    recovered = sent(door, tmp_path, *alert("normal"), *tag)

    ref = opened.split()[0]
    assert opened == f"{ref} (indeterminate -> critical)\n0"
    assert again == f"{ref} (1 duplicates)\n0"
    assert recovered == f"{ref} (indeterminate -> normal)\n0"
    told = desk.get(f"/v1/incidents/{ref}")
    assert told.json()["status"] == "resolved"
    assert told.json()["title"] == "The shop answers 503"


def test_it_hears_why_it_is_refused(desk: Desk, tmp_path: Path) -> None:
    door = f"{desk.intake_url}/v1/integrations/alerta"

    said = sent(f"{door}/nonsense", tmp_path, *alert("major"))
    assert "ERROR: this token is unknown" in said
    said = sent(f"{door}/{desk.tokens['source']}", tmp_path, "-r", "web-9")
    assert "`event` is missing" in said
