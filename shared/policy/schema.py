"""The JSON schema of a policy, for editors that complete and check while one types."""

from typing import Any

from shared.policy.document import Policy


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of `permanence.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Policy.model_json_schema(),
        "title": "permanence.yaml",
    }
