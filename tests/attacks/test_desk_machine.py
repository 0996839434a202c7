"""At the machine of a desk: what `make up` leaves behind for others to read."""

from pathlib import Path

import pytest

from standalone.folder import Run
from standalone.up import where_to_go

RUN = Run(
    intake_url="http://127.0.0.1:8081",
    api_url="http://127.0.0.1:8080",
    nats_url="nats://admin:secret@127.0.0.1:4222",
    database_url="postgresql://owner:secret@127.0.0.1:5432/permanence",
    token="pmn_token",
    source_key="pmn_source_key",
    pids={},
)


@pytest.mark.parametrize("shown", [True, False])
def test_keys_are_written_to_a_terminal_and_nowhere_else(*, shown: bool) -> None:
    said = "\n".join(where_to_go(RUN, Path("run.json"), with_keys=shown))

    assert (RUN.token in said) is (RUN.source_key in said) is shown
    assert RUN.api_url in said
    assert "secret" not in said
