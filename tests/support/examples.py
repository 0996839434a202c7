"""How many examples a property is tried with: a share of what the profile says."""

from hypothesis import HealthCheck, settings

_HUNDRED = 100


def examples(number: int) -> settings:
    """Return settings with `number` examples for each hundred of the profile.

    The profile is loaded by `tests/conftest.py` before the tests are.
    """
    return settings(max_examples=max(1, number * settings().max_examples // _HUNDRED))


def examples_with_servers(number: int) -> settings:
    """Return the same for a property whose examples share their fixtures, on purpose.

    Of what is suppressed the profile's own has to be named again.
    """
    shared = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(examples(number), suppress_health_check=shared)
