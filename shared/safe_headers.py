"""Tells browsers to take every answer for what it says it is, and to run nothing in it.

A page that needs more says so in a policy of its own, which then counts.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT_POLICY = b"content-security-policy"
_NOTHING = b"default-src 'none'; frame-ancestors 'none'"
_NO_GUESSING = (b"x-content-type-options", b"nosniff")


class SafeHeaders:
    """`app`, with these headers on each of its answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], _NO_GUESSING]
                if all(name != _CONTENT_POLICY for name, _ in headers):
                    headers.append((_CONTENT_POLICY, _NOTHING))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, safe)
