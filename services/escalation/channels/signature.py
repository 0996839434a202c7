"""Signatures as the Standard Webhooks specification has them: HMAC-SHA256, version v1.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """Return the key in a secret: `whsec_` and base64, or any other text as it is.

    Raise `ValueError`, which does not repeat it, where it holds none.
    """
    if not secret.startswith(_PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error as error:
            raise ValueError(
                "what follows whsec_ in the secret of the webhook is not base64"
            ) from error
    if not key:
        raise ValueError("the secret of the webhook is empty: make one of 24 bytes")
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,<base64>` over id, epoch seconds and body."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digest = hmac.digest(key, signed, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode("ascii")
