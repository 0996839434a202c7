"""What the doctor finds in the policy in force: what leaves a door open."""

from collections.abc import Iterator
from contextlib import closing

import psycopg

from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Mailbox
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.policies import policy_of
from shared.machine.finding import Finding

_NEWEST = f"""
{SELECT_ROWS} WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1
"""


def examine_policy(database_url: str) -> Iterator[Finding]:
    """Look at the policy in force; nothing is found where none can be read."""
    try:
        policy = _in_force(database_url)
    except (Unavailable, UnknownEvent, psycopg.Error):  # services tell of it anyway
        return
    if policy is not None:
        yield from mailbox_findings(policy)
        yield _nats_monitor(policy)


def mailbox_findings(policy: Policy) -> Iterator[Finding]:
    """Tell of each mailbox whether the desk can know who wrote a mail."""
    for name, source in policy.sources.items():
        if not isinstance(source, Mailbox):
            continue
        server = source.authserv_id
        yield Finding(
            f"mailbox {name}",
            server is not None,
            f"senders are confirmed by {server}"
            if server
            else "nobody confirms senders: only a reply to a mail of the desk acts",
            f"Set `authserv_id` of the source {name}: see docs/how-to/take-mail.md, "
            "“Who wrote it”.",
            only_warns=True,
        )


def _nats_monitor(policy: Policy) -> Finding:
    """Tell whether sources may share a NATS user that can name any of them."""
    refused = policy.desk.nats_monitor == "refused"
    return Finding(
        "nats sources",
        refused,
        "each source connects with a key of its own"
        if refused
        else "the user `monitor` may send as any source",
        "Give each source a key and write `desk: {nats_monitor: refused}`: see "
        "docs/how-to/send-over-nats.md, “The user `monitor`”.",
        only_warns=True,
    )


def _in_force(database_url: str) -> Policy | None:
    log = EventLog.open(database_url, pool_size=1)
    with closing(log), log.transaction() as cursor:
        row = cursor.execute(_NEWEST, (STREAM,), binary=True).fetchone()
        match log.entry(Row(*row)).event if row else None:
            case PolicyApplied() as applied:
                return policy_of(cursor, applied)
            case _:
                return None
