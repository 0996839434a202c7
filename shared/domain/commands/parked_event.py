"""The commands on events that a reader has parked: retry a stream, or skip an event.

The service whose reader parked them owns the command.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.bounded_text import Reason
from shared.domain.commands.incident import CommandBody

READER_MAX = 64
STREAM_MAX = 200
POSITION_MAX = 2**63 - 1

ReaderName = Annotated[str, StringConstraints(pattern=rf"^[a-z_]{{1,{READER_MAX}}}$")]
StreamName = Annotated[
    str, StringConstraints(pattern=rf"^[A-Za-z0-9][\x21-\x7e]{{0,{STREAM_MAX - 1}}}$")
]

AGGREGATES: Mapping[str, str] = {
    "sla_watcher": "sla",
    "escalation": "escalation",
    "closing": "incident",
}
"""The aggregate to whose owner a command about a reader is sent.

All other readers are those of read models, whose requests projections stores itself.
"""
SERVICES: Mapping[str, str] = {
    "sla_watcher": "sla_watcher",
    "escalation": "escalation",
    "closing": "intake",
}
"""The service that runs a reader; all others are run by projections."""


class RetryParked(CommandBody):
    """Apply the parked events of a stream again, in order.

    The reader that parked them does it. Those that fail again stay parked.
    """

    verb: ClassVar[str] = "retry_parked"
    reader: ReaderName
    stream: StreamName


class SkipParked(CommandBody):
    """Skip the first parked event of a stream for good, and apply those behind it.

    The log keeps the event; the reader never applies it.
    """

    verb: ClassVar[str] = "skip_parked"
    reader: ReaderName
    stream: StreamName
    position: Annotated[int, Field(ge=1, le=POSITION_MAX)]
    """The position of the event. Nothing is skipped if another one is first by now."""
    reason: Reason


ParkedOutcome = Literal[
    "applied", "skipped", "still_parked", "nothing_parked", "waiting"
]
ParkedCommand = RetryParked | SkipParked

BODIES: Mapping[str, type[ParkedCommand]] = {
    kind.verb: kind for kind in get_args(ParkedCommand)
}
"""The body of each verb."""


class ParkedAnswer(BaseModel):
    """What the reader did.

    `waiting`: the reader has not answered yet, and does it as soon as it runs.
    `still_parked`: nothing was changed; `error` says why. `skipped` with an `error`:
    the events behind the skipped one cannot be applied, and stay parked.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    reader: str
    stream: str
    outcome: ParkedOutcome
    skipped: int = 0
    """Number of events that were skipped."""
    applied: int = 0
    """Number of events that were applied."""
    error: str | None = None
