"""Fills a new desk with a first policy, an administrator's token and a source key.

`permanence up` calls it; each is created only if it is missing. Also makes the
link that signs the administrator in.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from shared.clock import LeverClock, clock_from
from shared.database.server_clock import server_now
from shared.eventlog.log import EventLog
from shared.messaging.commands import Scope
from shared.security.access import Access, create
from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import NewLink, create_link
from shared.vault.vault import read_master_keys
from standalone.credentials import ADMIN, FIRST_LABEL, Credentials
from standalone.startup_error import Exit, StartupError

STARTER = Path(__file__).parents[1] / "deploy" / "permanence.yaml"
LINK_LASTS = timedelta(hours=1)
SOURCE = "source:demo"


def bootstrap(
    owner_dsn: str, lever: Path | None, credentials: Credentials
) -> Credentials:
    """Return `credentials` with the token and the source key of this desk.

    Called at every start, after the migration and before any service. `lever` is the
    file that sets the time of this desk; None if it uses PostgreSQL's clock.
    """
    log = EventLog.open(owner_dsn, clock=clock_from(lever))
    now = LeverClock(lever)() if lever else server_now(owner_dsn)
    try:
        if policy_store.current(log) is None:
            _apply_starter(log, now)
        return _with_tokens(log, now, credentials)
    finally:
        log.close()


def _apply_starter(log: EventLog, now: datetime) -> None:
    signature = Signature(by="admin", reason="the first start of this desk")
    text = STARTER.read_text(encoding="utf-8")
    applied = policy_store.apply(log, text, signature, now, "live")
    if not isinstance(applied, Applied):
        raise StartupError(
            f"{STARTER} cannot be applied: {applied[0]}", Exit.INSTALLATION
        )


def _with_tokens(log: EventLog, now: datetime, credentials: Credentials) -> Credentials:
    scopes: tuple[Scope, ...] = ("agent", "manager", "auditor", "admin")
    with log.transaction() as cursor:
        token = (
            credentials.token
            or create(cursor, now, ADMIN, scopes, label=FIRST_LABEL).token
        )
        source_key = (
            credentials.source_key
            or create(cursor, now, SOURCE, ("source",), label=FIRST_LABEL).token
        )
    return replace(credentials, token=token, source_key=source_key)


def first_link(
    owner_dsn: str, lever: Path | None, token: str, vault_key: Path
) -> str | None:
    """Return the secret of a link that signs the administrator in once, for an hour.

    None if the token of the first start is not valid any more.
    """
    master = read_master_keys(vault_key)
    log = EventLog.open(owner_dsn, clock=clock_from(lever), master=master)
    now = LeverClock(lever)() if lever else server_now(owner_dsn)
    access = Access(log, lambda: now)
    try:
        caller = access.verify(token)
        if caller is None:
            return None
        link = NewLink(caller.actor, "link", LINK_LASTS, caller.token_id)
        with log.transaction() as cursor:
            return create_link(cursor, seal_keys_of(log), now, link)
    finally:
        log.close()
