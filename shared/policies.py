"""Every policy that was ever applied, by its version; each is parsed once."""

from shared.event_log import EventLog
from shared.events.policy import STREAM, PolicyApplied
from shared.policy.document import Policy


class PolicyVersions:
    """Gives the policy of a version, also inside a transaction of the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._known: dict[int, Policy] = {}

    def __call__(self, version: int) -> Policy:
        """Return that policy; LookupError where the log has no such version."""
        if version not in self._known:
            for entry in self._log.history(STREAM):
                if isinstance(entry.event, PolicyApplied):
                    policy = Policy.from_document(entry.event.document)
                    self._known.setdefault(entry.version, policy)
        if version not in self._known:
            raise LookupError(f"no policy version {version} in the log")
        return self._known[version]
