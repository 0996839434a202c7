"""Every policy that was ever applied, by its version; each is parsed once."""

from shared.event_log import EventLog
from shared.events.policy import STREAM, PolicyApplied
from shared.policy.document import Policy


class PolicyVersions:
    """Gives the policy of a version, also inside a transaction of the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._known: dict[int, Policy] = {}
        self._cache = f"policies-{id(self)}"
        log.continuity.drop_with(self.drop)

    def drop(self) -> None:
        """Forget every policy: another history has others under the same versions."""
        self._known = {}

    def __call__(self, version: int) -> Policy:
        """Return that policy; LookupError where the log has no such version."""
        known = self._known
        if version not in known:
            history = self._log.continuity.history
            # All of one history: none is kept from what was read before.
            known = {
                entry.version: Policy.from_document(entry.event.document)
                for entry in self._log.pinned_history(STREAM, self._cache)
                if isinstance(entry.event, PolicyApplied)
            }
            if history == self._log.continuity.history:
                self._known = known
        if version not in known:
            raise LookupError(f"no policy version {version} in the log")
        return known[version]
