"""How many examples a property is tried with: a share of what the profile says."""

from hypothesis import settings

_USUAL = 100
"""The examples of the profile `gate`, of which the shares are."""


def examples(number: int) -> settings:
    """Return settings with `number` examples in `make test`, more in `make explore`.

    The profile is loaded by `tests/conftest.py` before the tests are.
    """
    return settings(max_examples=max(1, number * settings().max_examples // _USUAL))
