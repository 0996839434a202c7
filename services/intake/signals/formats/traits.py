"""Properties of formats that their documents do not state."""

from services.intake.signals.formats import ready

NEVER_RECOVERS = ready.NEVER_RECOVERS | {"sentry_legacy"}
"""The formats that never send a recovery."""

KEEPS_ITS_INSTANT = frozenset({"alertmanager", "grafana"})
"""The formats in which an alert that seemed resolved resumes with its old instant.

If the watcher is cut off from what it watches, it reports a recovery; once they
reconnect, the alert fires with its original start. In all other formats an old instant
means an old message.
"""
