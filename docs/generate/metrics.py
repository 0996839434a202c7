"""Writes docs/reference/metrics.md: what every number of the metrics means."""

from pathlib import Path

from services.projections.metrics.definitions import (
    COUNTING,
    DEFINITIONS,
    GROUPING,
)
from services.projections.queue.load import DEFINITIONS as LOAD

PAGE = Path(__file__).parents[1] / "reference" / "metrics.md"

_HEAD = """\
*Reference* · [all pages](../index.md)

# Metrics

<!-- Written by `make docs` from metrics/definitions.py and queue/load.py in services/projections/; change those, not this page. -->

What `GET /v1/metrics` shows, in its order; each answer holds the same text in `definitions`.
How to ask: [read the metrics](../how-to/read-metrics.md). Why they are so: [metrics](../explanation/metrics.md).
"""  # noqa: E501 one sentence, one line

_LOAD = """
## Load

What `GET /v1/load` and the page `/load` show of each team at each support level: now, not of a period.
"""  # noqa: E501 one sentence, one line


def page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD, f"{COUNTING}\n{GROUPING}\n"]
    lines += ["| number | definition | parts add up |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {each.meaning} | {'yes' if each.adds_up else 'no'} |"
        for name, each in DEFINITIONS.items()
    ]
    lines += [_LOAD, "| number | definition |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in LOAD.items()]
    return "\n".join(lines) + "\n"
