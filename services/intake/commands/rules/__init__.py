"""The rules for changing incidents. Pure: no clock, no I/O, no generated ids."""

from services.intake.commands.rules.context import Code, Refused
from services.intake.commands.rules.decide import decide
from services.intake.commands.rules.status_table import TABLE, life_of_an_incident

__all__ = ["TABLE", "Code", "Refused", "decide", "life_of_an_incident"]
