"""The addresses of exchanges: production, demo, and practice on this machine (docs/kalshi-api.md, section 1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from kalshi_tui.kalshi.wire import REST_PREFIX, WS_PATH


class Kind(Enum):
    """The kind of an exchange: what an order there would cost. The values are the words on every screen."""

    PRACTICE = "PRACTICE"
    DEMO = "DEMO"
    LIVE = "LIVE"


MAX_URL: Final = 2_000
"""Characters; no address comes near."""
MAX_SHOWN: Final = 100
MAX_HOST: Final = 253
_AUTHORITY: Final = re.compile(r"(?:[^@]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
ALLOWED_HOSTS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.LIVE: frozenset({"external-api.kalshi.com", "external-api-ws.kalshi.com", "api.elections.kalshi.com"}),
    Kind.DEMO: frozenset({"external-api.demo.kalshi.co", "external-api-ws.demo.kalshi.co", "demo-api.kalshi.co"}),
}
"""The exchange's own hosts, at port 443 (docs/kalshi-api.md, section 1). A practice exchange is on this machine."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One exchange and its two addresses; `DEMO` and `PRODUCTION` are Kalshi's own.

    Raises ValueError for an address that a key must not be used with: of a host that is not of its kind, unencrypted
    and of another machine, with a user name, a query or a fragment, or with a path other than those of
    docs/kalshi-api.md, section 1.
    """

    name: str
    kind: Kind
    rest_url: str
    """Without a slash at the end; ends with ``/trade-api/v2``."""
    ws_url: str
    """Ends with ``/trade-api/ws/v2``."""
    named: frozenset[str] = frozenset()
    """Further hosts that the trader's own profile names. A practice exchange stays on this machine all the same."""

    def __post_init__(self) -> None:
        _check_url(self.kind, self.rest_url, self.named, secure="https", plain="http", path=REST_PREFIX)
        _check_url(self.kind, self.ws_url, self.named, secure="wss", plain="ws", path=WS_PATH)

    @property
    def signing_origin(self) -> tuple[str, str, int]:
        """Scheme, host and port of the one REST server that requests are signed for."""
        parts = urlsplit(self.rest_url)
        return parts.scheme, parts.hostname or "", _effective_port(parts)

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that a key of this environment signs for: that of REST and that of the stream."""
        return frozenset({self.signing_origin[1], self.ws_host})

    @property
    def ws_host(self) -> str:
        """The host of the stream."""
        return urlsplit(self.ws_url).hostname or ""


def _effective_port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme in {"https", "wss"} else 80)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its address or the name localhost; no other name is looked up."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def split_url(url: str) -> SplitResult:
    """Split an address. Raises ValueError, with a sentence, for one that programs could read differently.

    Programs disagree about ``http://[::1].example.com``, about line ends and about hosts that are no names: one would
    find this machine where another goes elsewhere, or fail. So a host is a plain name or an IP address, and nothing
    else. The sentence holds no part of an address that may have a password in it.
    """
    shown = "The address" if "@" in url else ascii(url if len(url) <= MAX_SHOWN else f"{url[:MAX_SHOWN]}...")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > MAX_URL:
        raise ValueError(f"{shown} has characters that no address has, or too many.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"{shown} must name its host by a plain name or an IP address.") from None
    found = _AUTHORITY.fullmatch(parts.netloc)
    if parts.netloc and (found is None or not _is_host(found["host"])):
        raise ValueError(f"{shown} must name its host by a plain name or an IP address.")
    if found is not None and found["port"] is not None and not 0 < int(found["port"]) < 65_536:
        raise ValueError(f"{shown} names no port from 1 to 65535.")
    return parts


def _is_host(host: str) -> bool:
    """Return whether this is an IP address, or a name that nobody could take for one."""
    literal, last = host.startswith("["), host.rpartition(".")[2]
    if literal or last.isdecimal():
        try:
            return (ip_address(host.strip("[]")).version == 6) is literal
        except ValueError:
            return False
    return len(host) <= MAX_HOST and all(map(_LABEL.fullmatch, host.split(".")))


def _check_url(kind: Kind, url: str, extra_hosts: frozenset[str], *, secure: str, plain: str, path: str) -> None:
    parts = split_url(url)
    host = parts.hostname or ""
    # First of all: the other sentences show the address, and this part of it may hold a password.
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(f"{parts.scheme}://{host} must come without a user name, a query or a fragment.")
    if parts.scheme not in {secure, plain} or not host:
        raise ValueError(f"{url!r} must begin with {secure}:// and name a host.")
    if parts.scheme == plain and not is_loopback(host):
        raise ValueError(f"{url!r} is not encrypted; {plain}:// is only for this machine itself, use {secure}://.")
    if parts.path != path:
        raise ValueError(f"{url!r} must end with {path}.")
    own = ALLOWED_HOSTS.get(kind)
    if own is None:
        if not is_loopback(host):
            raise ValueError("A practice exchange is on this machine only.")
    elif host in extra_hosts:
        return
    elif host not in own or parts.scheme != secure or _effective_port(parts) != 443:
        raise ValueError(f"{url!r} is no address of the exchange's ({kind.value.lower()}).")


PRODUCTION = Environment(
    name="production",
    kind=Kind.LIVE,
    rest_url=f"https://external-api.kalshi.com{REST_PREFIX}",
    ws_url=f"wss://external-api-ws.kalshi.com{WS_PATH}",
)
DEMO = Environment(
    name="demo",
    kind=Kind.DEMO,
    rest_url=f"https://external-api.demo.kalshi.co{REST_PREFIX}",
    ws_url=f"wss://external-api-ws.demo.kalshi.co{WS_PATH}",
)


def practice_on_port(port: int, host: str = "127.0.0.1") -> Environment:
    """Return the practice exchange that listens on this port of this machine."""
    return Environment(
        name="practice",
        kind=Kind.PRACTICE,
        rest_url=f"http://{host}:{port}{REST_PREFIX}",
        ws_url=f"ws://{host}:{port}{WS_PATH}",
    )


def practice_at_urls(rest_url: str, ws_url: str) -> Environment:
    """Return the practice exchange at these addresses. Raises ValueError if they are not on this machine."""
    return Environment(name="practice", kind=Kind.PRACTICE, rest_url=rest_url.rstrip("/"), ws_url=ws_url)
