"""Reads month reports from the log, and verifies the links to published editions.

A link is bound to one edition and the contact to whom it was sent. It is void once the
policy does not name them as a contact of this client any more, once the directory has
them at another client or without an address, and after `REPORT_LINK_VALID`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.database.cursors import Cursors
from shared.directory import entry
from shared.domain.identifiers import month_report_stream
from shared.domain.month_report import Edition, MonthReport, replay_report
from shared.domain.policy.document import Policy
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.security.rights import is_removed
from shared.security.signed_links import REPORT_LINK_VALID, ReportLink

Name = tuple[str, str]
"""A client and a month."""


def report_of(log: EventLog, cursor: Cursors, client: str, month: str) -> MonthReport:
    """Return a report, an empty one if nothing was written."""
    return reports_of(log, cursor, [(client, month)])[client, month]


def reports_of(
    log: EventLog, cursor: Cursors, names: Sequence[Name]
) -> Mapping[Name, MonthReport]:
    """Return reports by client and month."""
    streams = {month_report_stream(*name): name for name in names}
    entries = log.histories(cursor, list(streams))
    return {
        name: replay_report(
            (each.version, each.event) for each in entries if each.stream == stream
        )
        for stream, name in streams.items()
    }


def edition_named(log: EventLog, cursor: Cursors, ref: str) -> Edition | None:
    """Return an edition by its reference, such as `mairie.2025-06.1`."""
    client, month, number = ref.split(".")
    found = report_of(log, cursor, client, month)
    return next((each for each in found.editions if each.number == int(number)), None)


def is_contact(
    cursor: Cursors, policy: Policy | None, edition: Edition, person: str
) -> bool:
    """Return whether somebody is a contact who may read an edition now."""
    client = edition.published.client
    terms = policy.month_reports if policy else None
    if terms is None or person not in terms.recipients(client):
        return False
    known = entry(cursor, person)
    return (
        person in edition.published.recipients
        and known is not None
        and known.email is not None
        and known.client in (None, client)
        and not is_removed(cursor, person)
    )


def valid_until(edition: Edition) -> datetime:
    """Return when the links to an edition expire."""
    return edition.published.at + REPORT_LINK_VALID


def edition_behind(
    log: EventLog, cursor: Cursors, link: ReportLink, now: datetime
) -> Edition | None:
    """Return the edition that a link leads to, None if it is void."""
    found = edition_named(log, cursor, link.edition)
    if found is None or now >= link.until:
        return None
    # Another edition: a restored log gives the same references again.
    if int(valid_until(found).timestamp()) != int(link.until.timestamp()):
        return None
    policy = policy_now(log, cursor)
    return found if is_contact(cursor, policy, found, link.person) else None
