"""The desk that is measured: all four services, with promises to keep."""

from pathlib import Path

from tests.support.desks.running import POLICY, Setting

PROMISING = Setting(policy=Path(__file__).with_name("permanence.yaml"))
"""Incidents have promises: the watcher arms them, and escalation follows."""


def unlimited(folder: Path) -> Setting:
    """Return the usual desk, with an unlimited source."""
    policy = folder / "unlimited.yaml"
    usual = POLICY.read_text(encoding="utf-8")
    rated = usual.replace(
        "demo: {type: native}",
        "demo: {type: native, rate: {per_second: 100000, burst: 1000000}}",
    )
    policy.write_text(rated, encoding="utf-8")
    return Setting(policy=policy)
