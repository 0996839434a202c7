"""A client that hangs up in the middle of a stream: no error of ours, and not logged.

FastAPI closes what is read from before it stops who writes into it, who then fails.
"""

from anyio import BrokenResourceError
from starlette.types import ASGIApp, Receive, Scope, Send


class HungUp:
    """Around an application that streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and let go of what nobody takes any more."""
        try:
            await self._app(scope, receive, send)
        except* BrokenResourceError:
            pass
