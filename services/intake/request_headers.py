"""The headers by which senders tell what their body does not: each format's own.

An adapter sees those that it declares, and what it saw is kept with the raw body: who
reads that again sees the same. No other header goes that far: some hold keys.
"""

from collections.abc import Mapping

from services.intake.adapters import cloudevents, cloudwatch, sentry
from services.intake.adapters.cloud_headers import CE, CONTENT_TYPE
from services.intake.reading import FORM, is_form

HEADER_MAX = 1_024
"""Characters of a header that are read, live and later."""
CLOUDEVENTS = "cloudevents"
_DECLARED: Mapping[str, tuple[str, ...]] = {
    "cloudevents": cloudevents.HEADERS,
    "cloudwatch": cloudwatch.HEADERS,
    "sentry": sentry.HEADERS,
}


def headers_read(adapter: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of a request's headers that its format reads; lower case."""
    declared = _DECLARED.get(adapter, ())
    return {
        name: value if adapter == CLOUDEVENTS else value[:HEADER_MAX]
        for name, value in headers.items()
        if name in declared or (adapter == CLOUDEVENTS and name.startswith(CE))
    }


def headers_kept(
    adapter: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """Return those to be kept with a body, by which it can be read as it was.

    Of a CloudEvent there are none: with its headers the body is made whole. That a body
    is a form is told by a header alone.
    """
    if adapter == CLOUDEVENTS:
        return {}
    kept = headers_read(adapter, headers)
    if is_form(body, headers.get(CONTENT_TYPE, "")):
        kept[CONTENT_TYPE] = FORM
    return kept
