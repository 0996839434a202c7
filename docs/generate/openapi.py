"""Writes docs/reference/openapi.json: the read API, as it describes itself."""

import json
from pathlib import Path
from typing import Any, cast

from services.projections.api.app import api
from services.projections.api.desk import Desk

PAGE = Path(__file__).parents[1] / "reference" / "openapi.json"


def described() -> dict[str, Any]:
    """Return the OpenAPI document; no desk is needed to describe it."""
    document: dict[str, Any] = api(cast("Desk", None)).openapi()
    return document


def page() -> str:
    """Return the OpenAPI document as JSON, keys sorted."""
    return json.dumps(described(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
