"""Writes docs/reference/metrics.md: what every number of the metrics means."""

from pathlib import Path

from services.projections.metrics.definitions import (
    COUNTING,
    DEFINITIONS,
    GROUPING,
    TO_COME,
)

PAGE = Path(__file__).parents[1] / "reference" / "metrics.md"

_HEAD = """\
*Reference* · [all pages](../index.md)

# Metrics

<!-- Written by `make docs` from services/projections/metrics/definitions.py; change that, not this page. -->

What `GET /v1/metrics` shows, in its order; each answer holds the same text in `definitions`.
How to ask: [read the metrics](../how-to/read-metrics.md). Why they are so: [metrics](../explanation/metrics.md).
"""  # noqa: E501 one sentence, one line


def page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD, f"{COUNTING}\n{GROUPING}\n"]
    lines += ["| number | definition | parts add up |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {each.meaning} | {'yes' if each.adds_up else 'no'} |"
        for name, each in DEFINITIONS.items()
    ]
    lines += ["", "Still to come:", ""]
    lines += [f"* {what}: {when}" for what, when in TO_COME.items()]
    return "\n".join(lines) + "\n"
