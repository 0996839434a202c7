"""Starts the intake service: `python -m services.intake`."""

import sys

from services.intake.app import run
from shared.settings import IntakeSettings
from shared.startup import start

SWITCH_SECONDS = 0.0002
"""How soon a busy thread yields to another one (Python's default: 0.005).

A flush waits for PostgreSQL about a dozen times. With the default, each time it would
wait that long for the thread that reads requests.
"""

if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_SECONDS)
    start("intake", IntakeSettings, run)
