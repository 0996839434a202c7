"""Starts the intake service: `python -m services.intake`."""

import sys

from services.intake.app import run
from shared.settings import IntakeSettings
from shared.startup import start

SWITCH_SECONDS = 0.0002
"""How soon a busy thread lets another one run (Python's own: 0.005).

A flush comes back from PostgreSQL a dozen times, and would each time wait so long for
the thread that reads requests.
"""

if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_SECONDS)
    start("intake", IntakeSettings, run)
