"""Starts projections: `python -m services.projections`."""

from services.projections.app import run
from shared.settings import ProjectionsSettings
from shared.startup import start

if __name__ == "__main__":
    start("projections", ProjectionsSettings, run)
