"""Starts the escalation service: `python -m services.escalation`."""

from services.escalation.app import run
from shared.settings import EscalationSettings
from shared.startup import start

if __name__ == "__main__":
    start("escalation", EscalationSettings, run)
