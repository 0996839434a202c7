"""The desk that is measured: all four services, with promises to keep."""

from pathlib import Path

from tests.support.desk import Setting

PROMISING = Setting(policy=Path(__file__).with_name("permanence.yaml"))
"""What a signal opens is promised: the watcher arms it, escalation follows it."""
