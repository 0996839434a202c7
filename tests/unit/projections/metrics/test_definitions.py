"""Each number that is shown is explained, and none that is not."""

from services.projections.metrics.definitions import DEFINITIONS
from services.projections.metrics.figures import Figures


def test_every_number_has_its_definition_in_the_order_shown() -> None:
    assert list(Figures.model_fields) == list(DEFINITIONS)
    assert all(each.meaning.endswith(".") for each in DEFINITIONS.values())


def test_satisfaction_stands_first() -> None:
    assert next(iter(DEFINITIONS)) == "satisfaction"
