"""The vault's keys in a dict, for tests that need no database."""

from collections.abc import Sequence

from shared.vault.master_keys import MasterKeys
from shared.vault.vault import WrappedKey

MASTER = MasterKeys((bytes(range(32)),))


class KeyRing:
    """`KeyStore` in memory; `asked` counts how often somebody looked for keys."""

    def __init__(self) -> None:
        self.keys: dict[str, WrappedKey] = {}
        self.asked = 0

    def living(self, owners: Sequence[str]) -> Sequence[WrappedKey]:
        self.asked += 1
        return [k for k in self.keys.values() if k.owner in owners and k.wrapped]

    def by_ids(self, key_ids: Sequence[str]) -> Sequence[WrappedKey]:
        self.asked += 1
        return [self.keys[key_id] for key_id in key_ids if key_id in self.keys]

    def add(self, keys: Sequence[WrappedKey]) -> Sequence[WrappedKey]:
        for key in keys:
            if not self.living([key.owner]):
                self.keys[key.key_id] = key
        return self.living([key.owner for key in keys])

    def destroy(self, owner: str) -> None:
        """Forget the owner, as `vault_keys.forget` does."""
        for key in list(self.keys.values()):
            if key.owner == owner:
                self.keys[key.key_id] = key._replace(wrapped=None)
