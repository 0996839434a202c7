"""Grafana webhooks: unified alerting, and the legacy dashboard alerting before it.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
https://grafana.com/docs/grafana/v8.3/http_api/alerting

Unified alerting sends a group of alerts like Alertmanager, but as version "1". Legacy
alerting sends one rule. Its recovery does not name a metric, so the rule is the key;
its `tags` are an object, null or an empty text. Rule 0 is sent by the button "Send
Test".
"""

from collections.abc import Iterator, Mapping

from services.intake.records.signal import Action
from services.intake.signals.formats.alertmanager import read_group
from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    rendered,
    text,
)
from services.intake.signals.formats.elements.severities import severity_of
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    missing,
    signal_of,
)
from services.intake.signals.schemas import Heard, Ignored, Rejected

_ALSO = (
    "dashboardURL",
    "generatorURL",
    "imageURL",
    "panelURL",
    "silenceURL",
    "valueString",
    "values",
)
_ACTION: Mapping[str, Action] = {
    "alerting": "trigger",
    "no_data": "trigger",  # the rule has no data to check
    "ok": "resolve",
}
_WAITING = {"paused", "pending", "unknown"}
_FOR_PEOPLE = ("evalMatches", "imageUrl", "message", "ruleUrl", "title")


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result for each alert of a group, or for the one rule."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not a Grafana webhook: send a JSON object")]
    if "alerts" in document:
        return read_group(document, post, _ALSO)
    return [_rule(document, post)]


def _rule(rule: Mapping[str, object], post: InboundDocument) -> Heard:
    number, name = text(rule.get("ruleId")), first_text(rule, "ruleName", "title")
    if number is None:
        return missing(0, "ruleId", "this is neither a group of alerts nor a rule")
    if number == "0":
        return Ignored(0, "rule 0 is Grafana's test of the channel", title=name)
    state = (text(rule.get("state")) or "").lower()
    if state in _WAITING:
        return Ignored(0, f"a rule that is {state} reports no problem", title=name)
    if state not in _ACTION:
        return Rejected(0, "the state of a rule is alerting, ok or no_data", ("state",))
    tags = _tags(rule)
    told = UpstreamAlert(
        key=("rule", number),
        action=_ACTION[state],
        title=name,
        severity=severity_of(tags.get("severity")),
        labels={"rule": name or number, "state": state, **tags},
        details=rendered({name: rule.get(name) for name in _FOR_PEOPLE}),
    )
    return signal_of(told, post)


def _tags(rule: Mapping[str, object]) -> dict[str, object]:
    """Return the rule's own tags and those of its series; earlier ones win."""
    tags: dict[str, object] = {}
    for said in (inner(rule, "tags"), *_of_series(rule)):
        for name, value in said.items():
            tags.setdefault(name, value)
    return tags


def _of_series(rule: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    matches = rule.get("evalMatches")
    for match in matches if isinstance(matches, list) else ():
        if isinstance(match, dict):
            yield inner(match, "tags")
