"""The name of a device in the list of sessions."""

import pytest

from services.projections.web.sign_in.admission import device_of
from shared.security.sessions import DEVICE_MAX


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5.0", ""),
        ("", ""),
        ("x" * 600 + "Firefox/1", ""),
    ],
)
def test_a_session_is_called_by_browser_and_system(
    user_agent: str, device: str
) -> None:
    assert device_of(user_agent) == device
    assert len(device) <= DEVICE_MAX
