"""What a hostile server does on REST and on the stream, and what a client has to say of it."""

import gzip

from kalshi_tui.kalshi.errors import BadReply, KalshiError, TransportError
from tests.support.hostile_server import (
    CLOSE,
    CONT,
    PING,
    TEXT,
    Reader,
    Script,
    Writer,
    frame,
    opened,
    reply,
    saying,
    silence,
    switched,
)

MB = 1_000_000
BALANCE = b'{"balance":100,"portfolio_value":0}'
NESTING = BALANCE[:-1] + b',"x":'
START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b"a" * 300 * MB)


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


REST: dict[str, tuple[Script, type[KalshiError], str]] = {
    "never answers": (silence, TransportError, "it took too long"),
    "a status line a byte at a time": (saying(b"HTTP/1.1 200 OK", b" ", then="drip"), TransportError, "took too long"),
    "headers a byte at a time": (saying(START, b"X", then="drip"), TransportError, "it took too long"),
    "a body a byte at a time": (
        saying(START + b"Content-Length: 9999\r\n\r\n", b" ", then="drip"), TransportError, "it took too long",
    ),
    "a chunk at a time": (saying(CHUNKED, chunk(b" "), then="drip"), TransportError, "it took too long"),
    "endless headers": (saying(START, b"X-More: 1\r\n" * 500, then="repeat"), TransportError, "the connection broke"),
    "an endless header": (saying(START, b"x" * 5_000, then="repeat"), TransportError, "the connection broke"),
    "endless early hints": (
        saying(b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" * 20, then="drip"), TransportError, "it took too long",
    ),
    "an endless body": (saying(START + b"\r\n", b" " * 60_000, then="repeat"), BadReply, "more than 1,000,000 bytes"),
    "endless tiny chunks": (saying(CHUNKED, chunk(b" ") * 5_000, then="repeat"), KalshiError, "bytes|too long"),
    "a chunk of endless size": (saying(CHUNKED, b"f" * 5_000, then="repeat"), TransportError, "the connection broke"),
    "a chunk of no size": (saying(CHUNKED + b"-5\r\nhello\r\n"), TransportError, "the connection broke"),
    "two lengths": (saying(START + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n{}"), TransportError, "broke"),
    "a body shorter than it says": (saying(reply(BALANCE, length=500), then="close"), TransportError, "broke"),
    "half closed in the middle": (saying(reply(BALANCE, length=500), then="half"), TransportError, "broke"),
    "half closed without a word": (saying(then="half"), TransportError, "the connection broke"),
    "closed without a word": (saying(then="close"), TransportError, "the connection broke"),
    "no HTTP": (saying(b"SSH-2.0-surprise\r\n\r\n"), TransportError, "the connection broke"),
    "HTTP of another kind": (saying(b"HTTP/X 200 OK\r\n\r\n"), TransportError, "the connection broke"),
    "null bytes": (saying(b"\0" * 4_000), TransportError, "the connection broke"),
    "a page for people": (
        saying(reply(b"<html>Please log in</html>", "Content-Type: text/html")), BadReply, "makes no sense",
    ),
    "nothing": (saying(reply(b"", "Content-Type: application/json")), BadReply, "makes no sense"),
    "another character set": (saying(reply(BALANCE.decode().encode("utf-16"))), BadReply, "makes no sense"),
    "deep nesting": (saying(reply(NESTING + b"[" * 100_000)), BadReply, "cannot be read"),
    "deep nesting that ends": (
        saying(reply(NESTING + b"[" * 100_000 + b"]" * 100_000 + b"}")), BadReply, "cannot be read",
    ),
    "a million digits": (
        saying(reply(b'{"balance":' + b"9" * (MB - 100) + b"}")), BadReply, "out of range",
    ),
    "a million digits of a fraction": (
        saying(reply(b'{"balance":1.' + b"9" * (MB - 100) + b"}")), BadReply, "makes no sense",
    ),
    "a bomb": (saying(reply(BOMB, "Content-Encoding: gzip")), BadReply, "more than 1,000,000 bytes"),
    "a bomb in a bomb": (
        saying(reply(gzip.compress(BOMB), "Content-Encoding: gzip, gzip")), BadReply, "which was not asked for",
    ),
    "packing without an end": (
        saying(PACKED, chunk(gzip.compress(BALANCE)), chunk(b"x" * 60_000), then="repeat"), BadReply, "damaged",
    ),
    "packing that holds nothing": (
        # Empty blocks: bytes come for ever, and none come out.
        saying(PACKED, chunk(gzip.compress(b"")[:10]), chunk(b"\0\0\0\xff\xff" * 10_000), then="repeat"),
        BadReply, "more than 1,000,000 bytes",
    ),
    "a refusal with an attack in it": (
        saying(reply(b'{"error":{"code":"\\u001b[2J","message":"\\u001b]0;x\\u0007 [bold]"}}', status="400 \x1b[31m")),
        KalshiError, "rejected|broke",
    ),
    "a status that is none": (saying(reply(b"", status="999 Surprise")), TransportError, "status 999"),
    "a redirect to nonsense": (
        saying(reply(b"", "Location: http://[::1/x:y", status="302 Found")), KalshiError, "connection|302",
    ),
}  # fmt: skip
REDIRECTED = b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/trade-api/ws/v2\r\nContent-Length: 0\r\n\r\n"


def half_open(*headers: str, then: bytes = b"") -> Script:
    """Begin a 101, and leave it there, or go on with ``then`` for ever."""

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        begun = switched(head, *headers)[:-2]
        await saying(begun, *([then] if then else []), then="repeat" if then else "wait")(head, reader, writer)

    return script


def switched_with(*headers: str) -> Script:
    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        await saying(switched(head, *headers))(head, reader, writer)

    return script


DEEP = b'{"type":"ok","id":1,"x":' + b"[" * 100_000
DIGITS = b'{"type":"subscribed","id":' + b"9" * MB + b',"msg":{"channel":"fill","sid":1}}'
STREAM: dict[str, tuple[Script, str]] = {
    "never answers the handshake": (silence, "took too long"),
    "a 101 that never ends": (half_open(), "took too long"),
    "a 101 a byte at a time": (saying(b"HTTP/1.1 101 Switching Protocols\r\nX: ", b"x", then="drip"), "took too long"),
    "endless headers": (half_open(then=b"X-More: 1\r\n"), "took too long"),
    "an endless header": (half_open(then=b"x" * 5_000), "took too long"),
    "an answer to another handshake": (
        saying(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: aaaa\r\n\r\n"),
        "not as a WebSocket",
    ),
    "packing that was not offered": (switched_with("Sec-WebSocket-Extensions: permessage-deflate"), "not as a WebSock"),
    "a protocol that was not offered": (switched_with("Sec-WebSocket-Protocol: chat"), "not as a WebSocket"),
    "no HTTP": (saying(b"SSH-2.0-surprise\r\n\r\n"), "not as a WebSocket"),
    "closed without a word": (saying(then="close"), "not as a WebSocket|Nobody answers"),
    "half closed without a word": (saying(then="half"), "not as a WebSocket|Nobody answers"),
    "a redirect": (saying(REDIRECTED), "points elsewhere, which is not followed"),
    "a refusal of 900 KB": (saying(reply(b"[" * 900_000, status="503 Busy")), "paused or down"),
    "a refusal without an end": (
        saying(b"HTTP/1.1 503 Busy\r\n\r\n", b"x" * 60_000, then="repeat"), "took too long",
    ),
    "a frame of 64 MiB and a byte": (
        opened(frame(TEXT, length=64 * 1024 * 1024 + 1), b"x" * 60_000, then="repeat"), "too large",
    ),
    "a frame of 8 exabytes": (opened(frame(TEXT, length=2**63 - 1)), "too large"),
    "a fragmented message that never ends": (
        opened(frame(TEXT, b"x", fin=False), frame(CONT, b"x" * 60_000, fin=False), then="repeat"), "too large",
    ),
    "empty fragments that never end": (
        opened(frame(TEXT, b"x", fin=False), frame(CONT, fin=False) * 500, then="repeat"), "too large",
    ),
    "a packed frame": (opened(frame(TEXT, b"x", bits=0x40)), "no WebSocket message"),
    "an opcode that is none": (opened(frame(5, b"x")), "no WebSocket message"),
    "a masked frame": (opened(b"\x81\x85abcdHello"), "no WebSocket message"),
    "a ping of 126 bytes": (opened(frame(PING, b"x" * 126)), "no WebSocket message"),
    "garbage": (opened(b"\xff" * 5_000), "no WebSocket message"),
    "a flood of pings": (opened(frame(PING, b"heartbeat") * 500, then="repeat"), "flooded the connection with pings"),
    "deep nesting": (opened(frame(TEXT, DEEP)), "messages that cannot be read"),
    "a number of a million digits": (opened(frame(TEXT, DIGITS)), "a number that can be none"),
    "no JSON, for ever": (opened(frame(TEXT, b"{") * 500, then="repeat"), "messages that cannot be read"),
    "a close of one byte": (opened(frame(CLOSE, b"\x03")), "no WebSocket message"),
    "a close with a code that is none": (opened(frame(CLOSE, (999).to_bytes(2, "big"))), "no WebSocket message"),
    "a close with bytes that are no text": (opened(frame(CLOSE, b"\x03\xe8\xff\xfe")), "no WebSocket message"),
    "a close with an attack in it": (
        opened(frame(CLOSE, b"\x0f\xa0\x1b[2J\x1b]0;x\x07[bold]")), r"closed the connection \(code 4000, ",
    ),
    "a close in the middle of a message": (opened(frame(TEXT, b"x", fin=False), frame(CLOSE)), "closed the connection"),
    "half closed": (opened(then="half"), "The connection to the exchange broke"),
    "half closed in the middle of a frame": (opened(frame(TEXT, length=500), then="half"), "exchange broke"),
    "silence": (opened(), "was silent for"),
    "a frame a byte at a time": (opened(frame(TEXT, length=60_000), b"x", then="drip"), "was silent for"),
}  # fmt: skip
