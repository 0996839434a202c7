"""The checklist of a new desk, for those who can work through it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.projections.web.api_client import ApiClient


async def setup_for(
    scopes: Collection[str], client: ApiClient
) -> Sequence[Mapping[str, Any]]:
    """Return the steps of setting the desk up for an administrator.

    None once all of them are done, and none for anybody else.
    """
    if "admin" not in scopes:
        return ()
    found = await client.get("/v1/setup", {})
    steps: Sequence[Mapping[str, Any]] = found["items"]
    return () if all(each["done"] for each in steps) else steps
