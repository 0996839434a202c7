"""Subscriptions of browsers, as `pushManager.subscribe` gives them."""

import json

POINT, SECRET = "B" * 87, "s" * 22


def subscription(endpoint: str, point: str = POINT, secret: str = SECRET) -> str:
    """Return a subscription as it is written into a contact method."""
    keys = {"p256dh": point, "auth": secret}
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys})
