"""How many examples a property is tried with: a share of what the profile says."""

from hypothesis import settings

_HUNDRED = 100


def examples(number: int) -> settings:
    """Return settings with `number` examples for each hundred of the profile.

    The profile is loaded by `tests/conftest.py` before the tests are.
    """
    return settings(max_examples=max(1, number * settings().max_examples // _HUNDRED))
