"""Fills a new desk with what nobody can start without: the seam `permanence up` calls.

A first policy, an administrator's token and a source key; each only where missing.
"""

from pathlib import Path

from shared.machine.credentials import Credentials


def bootstrap(owner_dsn: str, vault_key: Path, credentials: Credentials) -> Credentials:
    """Return `credentials` with the token and the source key of this desk.

    Called at every start, after the migration and before any service.
    """
    del owner_dsn, vault_key  # used once the policy and the tokens are wired here
    return credentials
