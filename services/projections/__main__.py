"""Starts projections: `python -m services.projections`."""

import uvloop

from services.projections.app import run
from shared import telemetry
from shared.serving import stop_on_signals
from shared.settings import ProjectionsSettings


async def main() -> None:
    """Read the settings, run until told to stop."""
    settings = ProjectionsSettings()
    telemetry.configure("projections", settings.log_format, settings.log_level)
    await run(settings, stop_on_signals())


if __name__ == "__main__":
    uvloop.run(main())
