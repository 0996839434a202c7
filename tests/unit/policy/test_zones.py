"""What counts as a time zone: what means the same hours on every machine."""

import pytest

from shared.domain.policy.cross_checks import is_zone


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Montreal", "UTC"])
def test_a_zone_of_the_iana_database_is_one(zone: str) -> None:
    assert is_zone(zone)


@pytest.mark.parametrize("zone", ["localtime", "Factory", "europe/paris", "+02:00", ""])
def test_what_is_another_on_another_machine_or_none_at_all_is_no_zone(
    zone: str,
) -> None:
    assert not is_zone(zone)
