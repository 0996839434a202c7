"""Finds in a document what expressions name, and bounds the work of all of them."""

from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

STEPS_MAX = 300_000
"""Steps all expressions of a document may take together: about a quarter second."""
COMPILED_MAX = 1_024
"""Expressions kept ready; all of a policy are no more."""
_WRONG = (
    ArithmeticError,
    AttributeError,
    JMESPathError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the library raises over values that an expression cannot be asked of."""


class NotFound(Exception):
    """An expression cannot be followed in this document; the sentence says why."""


class _TooMuch(Exception):
    """The work is more than it may be."""


class Finder:
    """Follows the expressions of one mapping in one document, and counts its steps."""

    def __init__(self) -> None:
        self._interpreter = _Counting()

    def find(self, expression: str | None, value: object) -> Any:  # noqa: ANN401 # a value of a JSON document
        """Return what `expression` names in `value`, None where it names nothing."""
        if expression is None:
            return None
        try:
            return self._interpreter.visit(_compiled(expression), value)
        except _TooMuch:
            raise NotFound("too large for this expression: make it simpler") from None
        except _WRONG as error:
            kind = type(error).__name__
            raise NotFound(f"its expression cannot be followed here: {kind}") from error


class _Counting(TreeInterpreter):
    """The library's interpreter, which stops after `STEPS_MAX` steps."""

    def __init__(self) -> None:
        super().__init__()
        self._left = STEPS_MAX

    def visit(self, node: Any, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 # as the library has it
        self._left -= 1
        if self._left < 0:
            raise _TooMuch
        return super().visit(node, *args, **kwargs)


@lru_cache(maxsize=COMPILED_MAX)
def _compiled(expression: str) -> object:
    return jmespath.compile(expression).parsed
