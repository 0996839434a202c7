"""The alert rules and the board, as anybody's Prometheus and Grafana read them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "alerts.yaml"
BOARD = DEPLOY / "grafana.json"

_IN_QUOTES = re.compile(r'"[^"]*"')
_LABELS = re.compile(r"\{[^{}]*\}|\b(?:by|on|without)\s*\([^()]*\)|\[[^\]]*\]")
_WORD = re.compile(r"[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_NO_NAMES = {"and", "or", "unless", "bool", "on", "by"}


@dataclass(frozen=True)
class Rule:
    """An alert rule, with the words it comes with."""

    alert: str
    expr: str
    severity: str
    annotations: dict[str, str]


def rules() -> list[Rule]:
    """Return all alert rules."""
    document = YAML(typ="safe", pure=True).load(RULES)
    return [
        Rule(r["alert"], r["expr"], r["labels"]["severity"], dict(r["annotations"]))
        for group in document["groups"]
        for r in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    """Return the panels of the board, its rows included."""
    board: dict[str, Any] = json.loads(BOARD.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = board["panels"]
    return found


def queries() -> list[str]:
    """Return what the board asks."""
    return [target["expr"] for panel in panels() for target in panel.get("targets", ())]


def names_in(query: str) -> set[str]:
    """Return the metrics that a query in PromQL reads."""
    plain = _LABELS.sub(" ", _IN_QUOTES.sub("", query))
    return set(_WORD.findall(plain)) - _NO_NAMES


def exported(text: str) -> Iterator[str]:
    """Yield the names in an answer of `/metrics`, those without a sample too."""
    for family in text_string_to_metric_families(text):
        yield from (sample.name for sample in family.samples)
        yield f"{family.name}_total" if family.type == "counter" else family.name
