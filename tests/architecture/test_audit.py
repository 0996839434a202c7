"""`make audit` lists what the image is made of, and does not pass unanswered."""

import json
import os
import subprocess
from pathlib import Path

from tests.support.compose import ROOT

NOBODY = "http://127.0.0.1:1"


def test_an_audit_that_asked_nobody_fails_and_says_so(tmp_path: Path) -> None:
    sbom = tmp_path / "sbom.json"

    audit = subprocess.run(
        [ROOT / "scripts" / "audit.sh", "--service-url", NOBODY],
        env={**os.environ, "SBOM": str(sbom), "UV_HTTP_RETRIES": "0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert audit.returncode == 2, audit.stderr
    assert "Nothing was audited" in audit.stderr
    listed = {part["name"] for part in json.loads(sbom.read_text())["components"]}
    assert {"cryptography", "fastapi", "starlette"} <= listed
    assert "pytest" not in listed
