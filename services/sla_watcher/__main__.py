"""Starts the sla_watcher service: `python -m services.sla_watcher`."""

from services.sla_watcher.app import run
from shared.settings import SlaWatcherSettings
from shared.startup import start

if __name__ == "__main__":
    start("sla_watcher", SlaWatcherSettings, run)
