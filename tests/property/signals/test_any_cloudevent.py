"""Whatever stands in headers and body, a CloudEvent is heard, and kept whole."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.reception import cloud_body, cloud_document
from services.intake.signals.schemas import Rejected
from shared.http.problem_details import HttpError
from tests.unit.intake.commands.scenario import NINE

_NAMES = st.sampled_from(["id", "source", "type", "subject", "time", "data_base64"])
_ATTRIBUTES = st.dictionaries(_NAMES | st.text(max_size=8), st.text(max_size=20))
_KINDS = st.sampled_from(["", "text/plain", "application/json", "image/png"])
_BODIES = st.binary(max_size=60) | st.sampled_from(
    [b'{"action":"trigger","title":"T"}', b"[1]", b'"text"', b"{}", b"7"]
)


@given(said=_ATTRIBUTES, kind=_KINDS, body=_BODIES)
def test_any_binary_event_is_heard_and_kept_whole(
    said: dict[str, str], kind: str, body: bytes
) -> None:
    usual = {"specversion": "1.0", "id": "7", "source": "/quais", "type": "stuck"}
    headers = {f"ce-{name}": value for name, value in {**usual, **said}.items()}
    if kind:
        headers["content-type"] = kind
    try:
        document = cloud_document(body, headers)
    except HttpError:
        return

    (heard,) = ADAPTERS["cloudevents"](
        document, InboundDocument("bus", NINE, headers=headers)
    )
    kept = cloud_body(body, document, headers)
    (again,) = ADAPTERS["cloudevents"](
        cloud_document(kept, {}), InboundDocument("bus", NINE)
    )

    assert isinstance(heard, Signal | Rejected)
    if isinstance(heard, Signal):
        assert again == heard
