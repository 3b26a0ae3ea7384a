"""TLS contexts and HTTP proxies of connections to other machines.

Neither proxies nor certificates are taken from the environment's variables.
"""

import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import httpx

from kalshi_tui.kalshi.environments import split_url

MAX_CAUSES: Final = 10
_PROXY_FORMAT = "A proxy must look like http://HOST:PORT or https://HOST:PORT"


def tls_context(url: str) -> ssl.SSLContext:
    """Return a context that verifies the other side and uses TLS 1.2 at least.

    For an unencrypted address no certificate authorities are loaded, which would take memory and time; that context
    trusts nobody.
    """
    encrypted = urlsplit(url).scheme in {"https", "wss"}
    context = httpx.create_ssl_context(trust_env=False) if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Without this line the variable SSLKEYLOGFILE could have the session's keys written into a file.
    context.keylog_filename = None  # type: ignore[assignment]  # None is what it is by default
    return context


def validate_proxy(proxy: str | None) -> str | None:
    """Return a proxy's address if it can be used. Raises ValueError with a sentence that does not hold the address.

    The address may hold a password.
    """
    if proxy is None:
        return None
    try:
        parts = split_url(proxy)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{_PROXY_FORMAT}; what is set cannot be read.") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"{_PROXY_FORMAT}; other kinds are not supported.")
    if not host or port == 0:
        raise ValueError(f"{_PROXY_FORMAT}; what is set names no host.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"{_PROXY_FORMAT}, and nothing behind it.")
    if parts.username is not None and parts.password is None:
        raise ValueError(f"{_PROXY_FORMAT}; a user name needs a password, http://USER:PASSWORD@HOST:PORT.")
    return proxy


def proxy_for(url: str, proxy: str | None) -> str | None:
    """Return the proxy for an address, None for an unencrypted one. Raises ValueError as `validate_proxy`.

    Only this machine's own addresses are unencrypted. A proxy would read the signed requests to them, and it could not
    reach them anyway.
    """
    proxy = validate_proxy(proxy)
    return proxy if urlsplit(url).scheme in {"https", "wss"} else None


def to_httpx_proxy(proxy: str | None, tls: ssl.SSLContext) -> httpx.Proxy | None:
    """Return a proxy as httpx takes it; a proxy that is reached by TLS is verified too."""
    if proxy is None:
        return None
    return httpx.Proxy(proxy, ssl_context=tls if urlsplit(proxy).scheme == "https" else None)


def describe_tls_error(error: BaseException) -> str:
    """Return in words how TLS made a connection fail, empty if it was something else. Looks through the causes."""
    for cause in iterate_causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "the certificate at its address is not the exchange's"
        if isinstance(cause, ssl.SSLError):
            return "no secure connection can be made with its address"
    return ""


def iterate_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what has caused it, the nearest first."""
    cause: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
