"""Servers that mean harm, byte by byte on real sockets; and good ones on the same port once they have repented."""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Script = Callable[[bytes, Reader, Writer], Awaitable[None]]
"""Gets the head of the request, and does what it likes with the connection."""

STEP_S = 0.005
"""Between two bytes of a server that takes its time."""


class Server:
    """Plays a script to everybody who connects; another one can be set at any time."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.port = 0
        self.heads: list[bytes] = []
        """What was asked."""
        self.connections = 0
        self._live: set[asyncio.Task[None]] = set()

    async def take(self, reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._live.add(task)
        self.connections += 1
        try:
            with suppress(OSError, EOFError):
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    self.heads.append(head)
                    await self.script(head, reader, writer)
        except asyncio.CancelledError:
            # The test is over; nobody waits for this one.
            pass
        finally:
            self._live.discard(task)
            writer.transport.abort()

    async def end(self) -> None:
        live = list(self._live)
        for task in live:
            task.cancel()
        await asyncio.gather(*live, return_exceptions=True)


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    made = Server(script)
    listening = await asyncio.start_server(made.take, "127.0.0.1", 0, ssl=tls)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        await made.end()
        await listening.wait_closed()


async def silence(_head: bytes, reader: Reader, _writer: Writer) -> None:
    """Say nothing until the other side has gone."""
    while await reader.read(65_536):
        pass
    raise EOFError


def saying(*parts: bytes, then: str = "wait") -> Script:
    """Send these; ``then`` wait for more, close, half (close one's own half), repeat the last for ever, or drip it."""

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then == "close":
            raise EOFError
        if then == "half":
            writer.write_eof()
        while then == "repeat":
            writer.write(parts[-1])
            await writer.drain()
        while then == "drip":
            writer.write(parts[-1])
            await writer.drain()
            await asyncio.sleep(STEP_S)

    return script


def reply(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return an HTTP reply; ``length`` is what it claims to be, if not the truth."""
    claimed = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {claimed}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def honest(body: bytes) -> Script:
    """Answer every request as it should be, and keep the connection."""

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        writer.write(reply(body, "Content-Type: application/json"))
        await writer.drain()

    return script


def piped(port: int) -> Script:
    """Be a line to a good server on this machine."""

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        far_writer.write(head)
        try:
            await both_ways(reader, writer, far_reader, far_writer)
        finally:
            far_writer.transport.abort()
        raise EOFError

    return script


async def both_ways(reader: Reader, writer: Writer, far_reader: Reader, far_writer: Writer) -> None:
    """Pass bytes on until one side ends."""

    async def one(source: Reader, target: Writer) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()

    ways = [asyncio.create_task(one(reader, far_writer)), asyncio.create_task(one(far_reader, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


# WebSocket, by hand.


def switched(head: bytes, *headers: str) -> bytes:
    """Return the 101 that this handshake asks for."""
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    key = {name.lower(): value for name, value in fields.items()}[b"sec-websocket-key"]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # noqa: S324 - RFC 6455
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept.decode()}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, bits: int = 0, length: int | None = None) -> bytes:
    """Return a frame as a server sends it; ``length`` is what it claims, ``bits`` go into its first byte."""
    claimed = len(data) if length is None else length
    first = bytes([(0x80 if fin else 0) | bits | opcode])
    if claimed < 126:
        return first + bytes([claimed]) + data
    if claimed < 65_536:
        return first + b"\x7e" + claimed.to_bytes(2, "big") + data
    return first + b"\x7f" + claimed.to_bytes(8, "big") + data


CONT, TEXT, CLOSE, PING = 0, 1, 8, 9


def opened(*parts: bytes, then: str = "wait") -> Script:
    """Shake hands properly, and then send these."""

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        await saying(switched(head), *parts, then=then)(head, reader, writer)
        await silence(head, reader, writer)

    return script


# TLS, with certificates of a moment.


class Authority(NamedTuple):
    """Whoever signs certificates; the file is what a client may be told to trust."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    file: Path


def _certificate(
    subject: str, key: rsa.RSAPrivateKey, hosts: Sequence[str], by: Authority | None, *, old: bool = False
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now - timedelta(days=1) if old else now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if hosts:
        names = [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key if by is None else by.key, hashes.SHA256())


def authority(folder: Path) -> Authority:
    """Make one whom nobody trusts yet."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = _certificate("An authority of this test's", key, [], None)
    file = folder / "authority.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return Authority(key, certificate, file)


def server_tls(folder: Path, hosts: Sequence[str], by: Authority | None, *, old: bool = False) -> ssl.SSLContext:
    """Return what a server needs to be these hosts; without an authority it vouches for itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = _certificate("a server of this test's", key, hosts, by, old=old)
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
