"""Every rule about changing an incident. Pure: no clock, no I/O, no ids made here."""

from services.intake.decider.decide import decide
from services.intake.decider.refused import Code, Refused
from services.intake.decider.table import TABLE, life_of_an_incident

__all__ = ["TABLE", "Code", "Refused", "decide", "life_of_an_incident"]
