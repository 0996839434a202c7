"""What a change is that came of an incident or problem, and what may be asked of it."""

from shared.changes.evolve import evolve, replay
from shared.changes.state import Change, Status

__all__ = ["Change", "Status", "evolve", "replay"]
