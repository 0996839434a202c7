"""Whether we want to be sent webhooks: the handshake of the CloudEvents webhook.

https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md

We let anybody ask: who has no key is turned away by the delivery itself. The rate is
not limited here; a delivery that is one too many is told 429 and when to come again.
"""

import re
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from shared.http.problem_details import HttpError

_ORIGIN = re.compile(r"[A-Za-z0-9.:_-]{1,253}|\*", re.ASCII)
_METHODS = "POST, OPTIONS"


async def consent(request: Request) -> Response:
    """Allow the origin that asks to post here, as often as it likes."""
    origin = request.headers.get("webhook-request-origin")
    headers = {"Allow": _METHODS}
    if origin is not None:
        if not _ORIGIN.fullmatch(origin):
            raise HttpError(400, "`WebHook-Request-Origin` is the name of a host")
        headers["WebHook-Allowed-Origin"] = origin
        headers["WebHook-Allowed-Rate"] = "*"
    return Response(status_code=HTTPStatus.OK, headers=headers)
