"""The addresses of exchanges: production, demo, and practice on this machine (docs/kalshi-api.md, section 1)."""

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


def _check_url(kind: Kind, url: str, extra_hosts: frozenset[str], *, secure: str, plain: str, path: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {secure, plain} or not host:
        raise ValueError(f"{url!r} must begin with {secure}:// and name a host.")
    if parts.scheme == plain and not is_loopback(host):
        raise ValueError(f"{url!r} is not encrypted; {plain}:// is only for this machine itself, use {secure}://.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(f"{parts.scheme}://{host} must come without a user name, a query or a fragment.")
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
