"""The rules for changing incidents, problems and changes.

Pure: no clock, no I/O, no generated ids.
"""

from services.intake.records.rules.context import DecisionContext
from services.intake.records.rules.verbs import VERBS, decide, life_of

__all__ = ["VERBS", "DecisionContext", "decide", "life_of"]
