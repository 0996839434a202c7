"""Starts intake: `python -m services.intake`."""

import uvloop

from services.intake.app import run
from shared import telemetry
from shared.serving import stop_on_signals
from shared.settings import IntakeSettings


async def main() -> None:
    """Read the settings, run until told to stop."""
    settings = IntakeSettings()
    telemetry.configure("intake", settings.log_format, settings.log_level)
    await run(settings, stop_on_signals())


if __name__ == "__main__":
    uvloop.run(main())
