"""Checks of values that several classes of settings share."""

import base64
import binascii
from ipaddress import ip_network

from pydantic import SecretStr


def web_address(url: SecretStr | None) -> SecretStr | None:
    """Return a valid web address, None for an empty one, which compose passes on."""
    if url is None or not url.get_secret_value():
        return None
    scheme, _, rest = url.get_secret_value().partition("://")
    if scheme not in {"http", "https"} or not rest:
        raise ValueError("it is not a web address: write https://… or leave it out")
    return url


def secret(value: SecretStr | None) -> SecretStr | None:
    """Return a secret unchanged, None for an empty one."""
    if value is None or not value.get_secret_value():
        return None
    _, coded, key = value.get_secret_value().partition("whsec_")
    if coded:
        try:
            base64.b64decode(key, validate=True)
        except binascii.Error as error:
            raise ValueError("what follows whsec_ is not base64") from error
    return value


def networks(written: str) -> str:
    """Return valid comma-separated networks unchanged."""
    try:
        for each in filter(None, written.replace(" ", "").split(",")):
            ip_network(each)
    except ValueError as error:
        raise ValueError("write 10.0.0.5,10.1.0.0/16 and so on") from error
    return written
