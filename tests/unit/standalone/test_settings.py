"""What may be chosen about `make up`, and what is told of a bad choice."""

from pathlib import Path

import pytest

from standalone.settings import read_settings
from standalone.startup_error import Exit, StartupError


def test_a_desk_keeps_its_data_in_a_folder_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PERMANENCE_HOME", raising=False)

    assert read_settings().home == Path(".permanence")


def test_an_empty_name_is_not_taken_for_the_folder_we_stand_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERMANENCE_HOME", "")

    with pytest.raises(StartupError, match="PERMANENCE_HOME='' will not do") as trouble:
        read_settings()

    assert trouble.value.code is Exit.USAGE


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PERMANENCE_API_PORT", "eighty"),
        ("PERMANENCE_NATS_PORT", "70000"),
        ("DATABASE_URL", "host=db user=me"),
        ("NATS_URL", "localhost:4222"),
        ("NATS_URL", "nats://127.0.0.1:4222,127.0.0.1:4223"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(StartupError, match=variable) as trouble:
        read_settings()

    assert trouble.value.code is Exit.USAGE
