"""What sources of a format do that none of their documents says."""

from services.intake.signals.formats import ready

NEVER_RECOVERS = ready.NEVER_RECOVERS | {"sentry_legacy"}
"""The formats in which no source ever says that a trouble is over."""

KEEPS_ITS_INSTANT = frozenset({"alertmanager", "grafana"})
"""The formats in which a trouble that was given up goes on with its old instant.

Cut off from who watches, it is told as recovered; when the two meet again, as firing
since before that. In all others an old instant is that of an old message.
"""
