"""The formats there are have one name each: in addresses and in the policy."""

from typing import get_args

from services.intake.signals.formats import ADAPTERS
from shared.domain.policy.sources import Monitor


def test_every_format_may_be_named_in_the_policy() -> None:
    named = set(get_args(Monitor.model_fields["type"].annotation))

    assert set(ADAPTERS) <= named


def test_formats_are_listed_so_that_they_can_be_found() -> None:
    native, *foreign = ADAPTERS

    assert native == "native"
    assert foreign == sorted(foreign)
