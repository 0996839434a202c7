"""The head of the log as it was last seen, stored outside the database.

After a restore the database itself cannot know that it went back. NATS keeps a record
on file, in the key-value bucket `desk_last_seen`: written by processes of intake, read
by every service when it starts. If it is restored together with the database, it cannot
detect the restore.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.database.cursors import Cursors
from shared.eventlog.continuity.evidence import (
    KINDS,
    EpochId,
    Evidence,
    Kind,
    Mark,
    Numbers,
    epoch_labelled,
    highest,
)
from shared.messaging import subjects

NOTHING = 0
"""The revision of a record that does not exist."""
EPOCH_MAX, POSITION_MAX = 2**31 - 2, 2**63 - 1
"""The limits of PostgreSQL's types; one more epoch can still be begun."""
NUMBER_MAX = 2**62
"""Beyond this there is no room for the numbers that a restore skips."""
_WRONG_LAST_SEQUENCE = 10071
_IDENTITY = "SELECT * FROM log.identity()"


class Server(BaseModel):
    """The PostgreSQL server of the log, and the highest numbers it issued."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    system_identifier: str
    timeline: int
    database_oid: int
    numbers: dict[Kind, Annotated[int, Field(ge=0, le=NUMBER_MAX)]]

    def with_numbers(self, others: Numbers) -> "Server":
        """Return this server with the higher of the numbers that each has issued."""
        numbers = highest(self.numbers, others)
        return self.model_copy(update={"numbers": numbers})


UNKNOWN_SERVER = Server(system_identifier="", timeline=0, database_oid=0, numbers={})


class LastSeen(BaseModel):
    """The head of the log as it was seen, and the server on which it was seen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    epoch: Annotated[int, Field(gt=0, le=EPOCH_MAX)]
    token: Annotated[str, Field(pattern="^[0-9a-f]{0,64}$")]
    position: Annotated[int, Field(ge=0, le=POSITION_MAX)]
    chain: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    server: Server
    origin: Annotated[str, Field(pattern="^([0-9a-f]{16})?$")] = ""
    """Which log it was, see `Evidence`; a record of an older version does not say."""

    @property
    def mark(self) -> Mark:
        """The event that the log must contain."""
        return Mark(self.position, bytes.fromhex(self.chain))

    @property
    def epoch_id(self) -> EpochId:
        """The epoch in which it was seen."""
        return EpochId(self.epoch, self.token)

    @property
    def end(self) -> tuple[int, int]:
        """How far it goes, to compare records."""
        return self.epoch, self.position

    def evidence(self, witness: str) -> Evidence:
        """Return what this says about the log, said by `witness`."""
        numbers = self.server.numbers
        return Evidence(self.mark, self.epoch_id, witness, self.origin, numbers)


@dataclass(frozen=True, slots=True)
class Record:
    """The record in the bucket, and the revision that a later write must follow."""

    seen: LastSeen | None
    revision: int


class Overwritten(Exception):
    """Another process wrote in between: read the record again."""


def seen_at(mark: Mark, epoch: EpochId, server: Server, origin: str = "") -> LastSeen:
    """Return the record of a head seen on a server."""
    return LastSeen(
        epoch=epoch.number,
        token=epoch.token,
        position=mark.position,
        chain=mark.chain.hex(),
        server=server,
        origin=origin,
    )


def seen_as(evidence: Evidence, server: Server = UNKNOWN_SERVER) -> LastSeen:
    """Return evidence as a record, with the numbers that it knows."""
    mark, epoch, _, origin, numbers = evidence
    return seen_at(mark, epoch, server.with_numbers(numbers), origin)


def of_word(word: str) -> LastSeen:
    """Return what `Evidence.written` says; raises `ValueError` if it is not that."""
    epoch, position, chain, origin, issued = word.split(":")
    number, token = epoch_labelled(epoch)
    numbers = dict(zip(KINDS, map(int, issued.split(",")), strict=True))
    return LastSeen(
        epoch=number,
        token=token,
        position=int(position),
        chain=chain,
        server=Server(
            system_identifier="", timeline=0, database_oid=0, numbers=numbers
        ),
        origin=origin,
    )


def combined(known: Sequence[LastSeen]) -> LastSeen | None:
    """Return what goes furthest, with the highest numbers that any of them knows."""
    if not known:
        return None
    furthest = max(known, key=lambda each: each.end)
    server = furthest.server
    for each in known:
        server = server.with_numbers(each.server.numbers)
    return furthest.model_copy(update={"server": server})


def server_of(cursor: Cursors) -> Server:
    """Return the identity and numbers of this PostgreSQL server."""
    row = cursor.execute(_IDENTITY).fetchone()
    assert row is not None  # noqa: S101 # a function with out parameters gives one row
    return Server(
        system_identifier=row[0],
        timeline=row[1],
        database_oid=row[2],
        numbers={"incident": row[3], "problem": row[4], "change": row[5]},
    )


async def read(js: JetStreamContext) -> Record:
    """Return the last record; an empty one if the bucket is empty or was wiped.

    Raises an error of `nats.errors` if NATS does not answer.
    """
    try:
        message = await js.get_last_msg(
            subjects.LAST_SEEN_STREAM, subjects.LAST_SEEN, direct=False
        )
    except NotFoundError:
        return Record(None, NOTHING)
    revision = message.seq or NOTHING
    try:
        return Record(LastSeen.model_validate_json(message.data or b""), revision)
    except ValidationError:
        return Record(None, revision)  # of another version, or damaged: as if wiped


async def write(js: JetStreamContext, seen: LastSeen, revision: int) -> Record:
    """Write what was seen; raises `Overwritten` if `revision` is not the last one."""
    expected = {Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(revision)}
    try:
        written = await js.publish(
            subjects.LAST_SEEN, seen.model_dump_json().encode(), headers=expected
        )
    except APIError as error:
        if error.err_code == _WRONG_LAST_SEQUENCE:
            raise Overwritten from error
        raise
    return Record(seen, written.seq)
