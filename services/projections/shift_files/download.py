"""Downloads a calendar from an address that somebody gave: never from inside."""

import asyncio

import httpx

from shared.domain.icalendar_file import FILE_BYTES_MAX
from shared.http.networks import Networks
from shared.http.outbound import GuardedTransport, InnerAddress
from shared.http.problem_details import HttpError

SECONDS_MAX = 10.0
REDIRECTS_MAX = 3
_WEBCAL = "webcal://"
_HEADERS = {"Accept": "text/calendar, */*;q=0.5", "Accept-Encoding": "identity"}


async def downloaded(url: str, allowed: Networks) -> str:
    """Return the calendar at an address. `HttpError` 422 says why there is none.

    Each redirection is checked like the address itself.
    """
    if url.lower().startswith(_WEBCAL):  # what calendars call a link to subscribe to
        url = f"https://{url[len(_WEBCAL) :]}"
    try:
        async with (
            asyncio.timeout(SECONDS_MAX),
            httpx.AsyncClient(
                transport=GuardedTransport(allowed),
                follow_redirects=True,
                max_redirects=REDIRECTS_MAX,
                timeout=SECONDS_MAX,
            ) as client,
        ):
            return _text(await _body(client, url))
    except InnerAddress as error:
        raise _unusable("it is inside the desk's own network") from error
    except TimeoutError as error:
        raise _unusable(f"it did not answer within {SECONDS_MAX:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unusable("it does not answer") from error


async def _body(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url, headers=_HEADERS) as response:
        if not response.is_success:
            raise _unusable(f"it answers with HTTP {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _unusable("its answer is compressed, though it was asked not to be")
        read = bytearray()
        async for part in response.aiter_raw():
            read += part
            if len(read) > FILE_BYTES_MAX:
                raise _unusable(f"it has more than {FILE_BYTES_MAX} bytes")
        return bytes(read)


def _text(read: bytes) -> str:
    try:
        return read.decode()
    except UnicodeDecodeError as error:
        raise _unusable("its answer is not UTF-8") from error


def _unusable(why: str) -> HttpError:
    return HttpError(
        422,
        f"the address cannot be used: {why}",
        code="unusable_address",
        errors=[{"loc": ["body", "url"], "msg": why, "type": "url"}],
    )
