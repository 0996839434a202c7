"""Alertmanager's webhook, versions 3 and 4.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

Alertmanager does not read our answers, so what is too long is cut rather than refused;
fields we do not know are allowed. The label `severity` is any word: one that is none of
ours is None, and stays a label.
"""

from services.intake.adapters.alert_group import read_group
from services.intake.adapters.post import Post
from services.intake.signals import Heard, Rejected


def read(document: object, post: Post) -> list[Heard]:
    """Return a signal or a rejection for each alert of the group."""
    if not isinstance(document, dict) or not isinstance(document.get("alerts"), list):
        return [
            Rejected(0, "this is not an Alertmanager webhook: `alerts` is missing", ())
        ]
    return read_group(document, post, ("generatorURL",))
