"""What a problem is, the cause behind incidents, and what may be asked of one.

Not to be taken for `shared.problem`, the problem details of RFC 9457.
"""

from shared.problems.evolve import evolve, replay
from shared.problems.state import Problem, Status

__all__ = ["Problem", "Status", "evolve", "replay"]
