"""A preview computes shifts of many days: no command waits for one."""

from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, cast

import pytest

from services.escalation import app


def test_previews_have_a_thread_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    used: dict[str, Executor] = {}

    def commands(_broker: object, _senders: object, _take: object, *rest: Any) -> None:
        used["commands"] = rest[0]

    def previews(_broker: object, _senders: object, _take: object, *rest: Any) -> None:
        used["previews"] = rest[0]

    monkeypatch.setattr(app, "listen", commands)
    monkeypatch.setattr(app, "listen_for_previews", previews)
    monkeypatch.setattr(app, "authentication", lambda *_: None)
    monkeypatch.setattr(app, "listen_for_parked_events", lambda *_: None)
    any_: Any = cast("Any", app)
    with ThreadPoolExecutor(2) as main, ThreadPoolExecutor(1) as own:
        any_._listen(None, None, None, None, app.Executors(main, own), None)
        assert used == {"commands": main, "previews": own}
