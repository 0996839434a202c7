"""Intake as a later version runs it: `python -m tests.support.faults.later_intake`."""

import sys

from services.intake.__main__ import SWITCH_SECONDS
from services.intake.app import run
from shared.settings import IntakeSettings
from shared.startup import start
from tests.support.faults.later_version import upgraded

if __name__ == "__main__":
    types, name, kind = upgraded()
    types[name] = kind
    sys.setswitchinterval(SWITCH_SECONDS)
    start("intake", IntakeSettings, run)
