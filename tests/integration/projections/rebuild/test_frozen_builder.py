"""A process that is frozen while it builds a read model keeps nobody waiting."""

import os
import subprocess
import sys
from signal import SIGKILL, SIGSTOP

import pytest

from services.projections.rebuild.rebuild import ensure
from shared.clock import real_clock
from shared.eventlog.log import EventLog
from tests.support.builders.busy_log import busy_log
from tests.support.builders.written_histories import MASTER, QUEUE, live_of, write
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

BUILDER = """
import sys
from services.projections.read_models import MODELS
from services.projections.rebuild import builder
builder.ALIVE_SECONDS = 0.2
with builder.builder(sys.argv[1], None, MODELS["queue"]) as own:
    limit, = own.cursor.execute("SHOW idle_session_timeout").fetchone()
    assert limit == f"{builder.SILENT_SECONDS_MAX / 60:g}min"
    own.cursor.execute("SET idle_session_timeout = '2s'")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_who_waits_for_a_frozen_builder_builds_in_its_place(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(50)))
    dsn = database.dsn("desk_projections")
    frozen = subprocess.Popen(
        [sys.executable, "-c", BUILDER, dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with frozen:
        assert frozen.stdout
        assert frozen.stdout.readline() == "held\n"
        os.kill(frozen.pid, SIGSTOP)
        try:
            built = ensure(dsn, MASTER, QUEUE, real_clock)
        finally:
            os.kill(frozen.pid, SIGKILL)

    assert live_of(log, QUEUE) == built
