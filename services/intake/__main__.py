"""Starts the intake service: `python -m services.intake`."""

from services.intake.app import run
from shared.settings import IntakeSettings
from shared.starting import start

if __name__ == "__main__":
    start("intake", IntakeSettings, run)
