"""Addresses of other parties: checked before anything is sent.

Rules

* An address is a scheme, a host and perhaps a port; nothing else.
* Plain http is for this machine's loopback. Anywhere else somebody has to allow it, and then it is announced.

Example

>>> checked_address("http://127.0.0.1:8470/")
'http://127.0.0.1:8470'
"""

import ipaddress
import warnings
from urllib.parse import urlsplit

from understudy.contract.errors import AnswerError, InsecureError


class PlainTransportWarning(UserWarning):
    """Calls to another machine go over plain http because somebody allowed it."""


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine: ``localhost``, 127.0.0.0/8 or ::1.

    >>> is_loopback("127.0.0.1"), is_loopback("10.0.0.1"), is_loopback("localhost.example")
    (True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_address(address: str, *, allow_plain: bool = False) -> str:
    """Return ``address`` as it is used.

    Raises:
        InsecureError: plain http to another machine.
        AnswerError: not an address.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AnswerError(f"not an address: {address}") from error
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        raise AnswerError(f"not an address: {address}", hint="addresses look like https://host:port")
    if parts.path.strip("/"):
        raise AnswerError(f"not an address: {address}", hint="an address has no path")
    if parts.scheme == "http" and not is_loopback(host):
        if not allow_plain:
            raise InsecureError(f"{address} would be called over plain http")
        warnings.warn(f"calls to {address} go over plain http", PlainTransportWarning, stacklevel=3)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")
