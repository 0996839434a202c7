"""Whoever changes a read model's tables or their meaning gives it the next shape."""

import json
from typing import Any

import pytest

from docs.generate.read_models import PAGE, digest
from services.projections.generations import ReadModel
from services.projections.read_models import MODELS


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_a_changed_read_model_has_another_shape(model: ReadModel[Any]) -> None:
    known = json.loads(PAGE.read_text(encoding="utf-8"))[model.name]

    assert known.get(str(model.shape)) == digest(model), (
        f"the tables of {model.name}, or the rows that follow from an event, are not"
        f" those of shape {model.shape}. Raise the shape in"
        " services/projections/read_models.py, so that live generations are rebuilt,"
        " and run `make docs`. Only if they are right as they are, keep the shape,"
        f" remove its line from {PAGE.name} and run `make docs`."
    )
