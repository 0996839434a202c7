"""What stands in a log line, and what must not."""

import json
import logging
from collections.abc import Iterator

import psycopg
import pytest
import structlog
from pydantic import BaseModel, ValidationError

from shared.observability.telemetry import configure, wordless

WORDS = "my mother is ill"


class Form(BaseModel):
    """Takes a number."""

    age: int


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {
        name: logger.level
        for name, logger in root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    yield
    root.handlers[:], root.level = handlers, level
    for name, held in levels.items():
        logging.getLogger(name).setLevel(held)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_our_lines_and_those_of_libraries_look_alike(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("intake", "json", "info")

    with structlog.contextvars.bound_contextvars(incident="INC-000001", position=7):
        structlog.get_logger("ours").info("event.recorded", count=2)
        logging.getLogger("theirs").warning("pool %s is small", "a")
    logging.getLogger("theirs").debug("not told")

    ours, theirs = lines(capsys)
    assert (ours["event"], ours["count"]) == ("event.recorded", 2)
    assert (theirs["event"], theirs["level"]) == ("pool a is small", "warning")
    for line in (ours, theirs):
        assert line["service"] == "intake"
        assert (line["incident"], line["position"]) == ("INC-000001", 7)
        assert line["timestamp"]


def test_an_error_is_told_without_a_traceback_and_without_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("intake", "json", "info")

    try:
        Form.model_validate({"age": WORDS})
    except ValidationError:
        structlog.get_logger("ours").exception("form.failed")
        logging.getLogger("theirs").exception("form failed")

    for line in lines(capsys):
        assert WORDS not in json.dumps(line)
        assert line["error"] == "Form is not valid: age: int_parsing"
        assert "test_telemetry.py" in str(line["frames"])


def test_what_postgresql_says_of_a_value_is_not_repeated() -> None:
    error = psycopg.errors.UniqueViolation(f"Key (title)=({WORDS}) already exists.")

    assert WORDS not in wordless(error)
    assert "UniqueViolation" in wordless(error)


def test_the_console_form_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure("intake", "console", "info")

    structlog.get_logger("ours").info("event.recorded", count=2)

    told = capsys.readouterr().err
    assert "event.recorded" in told
    assert "count=2" in told


def test_no_address_we_call_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure("projections", "json", "info")

    # As httpx does; the address of a webhook holds the key of its source.
    logging.getLogger("httpx").info("HTTP Request: POST http://x/v1/integrations/a/pmn")
    # As Apprise and the library below it do; the address is a person's.
    logging.getLogger("apprise").error("Failed to send to +33612345678.")
    logging.getLogger("urllib3.connectionpool").warning("Retrying: /sms/+33612345678")

    assert lines(capsys) == []
