"""People who are signed in with a session each, as a browser has one."""

from collections.abc import Sequence

from shared.clock import real_clock
from shared.domain.limits import EVERYTHING, Limits
from shared.eventlog.log import EventLog
from shared.security.rights import Grant
from shared.security.sender import seal_keys_of
from shared.security.sessions import Start, begin_session


def sessions(
    log: EventLog, people: Sequence[str], limits: Limits = EVERYTHING
) -> list[str]:
    """Return the secret of a session for each of these agents, within limits."""
    rights = (Grant("", "agent", limits),)
    keys = seal_keys_of(log)
    with log.transaction() as cursor:
        return [
            begin_session(
                cursor, keys, real_clock(), Start(f"person:{id_}", "link", None, rights)
            ).secret
            for id_ in people
        ]
