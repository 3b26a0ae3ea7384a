"""Decode JSON as the structs of this package, and encode them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from kalshi_tui.kalshi.wire.frames import Command, Envelope, Frame

T = TypeVar("T")
DecodeError = msgspec.DecodeError
"""Raised for text that is not JSON; `msgspec.ValidationError`, its subclass, for JSON of another shape."""
_json_encoder = msgspec.json.Encoder(decimal_format="number")
_frame_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_envelope_decoder = msgspec.json.Decoder(Envelope)
_command_decoder = msgspec.json.Decoder(Command)
_decoders_by_type: dict[Any, msgspec.json.Decoder[Any]] = {}
decode_frame = _frame_decoder.decode
"""Decode one frame of the stream. Raises DecodeError, also for an unknown ``type``: see `decode_envelope`."""
decode_envelope = _envelope_decoder.decode
"""Decode only the type and the numbers of a frame. Raises DecodeError."""


def decode_command(data: bytes | str) -> Command:
    """Decode a command, also one with an unknown name. Raises DecodeError."""
    with _raise_decode_errors():
        return _command_decoder.decode(data)


def encode(value: Struct | Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Encode as JSON: decimals as numbers, absent fields not at all."""
    return _json_encoder.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """Decode JSON as a struct or another type. Raises DecodeError. A decoder is made once for each type."""
    decoder = _decoders_by_type.get(kind)
    if decoder is None:
        decoder = _decoders_by_type[kind] = msgspec.json.Decoder(kind)
    with _raise_decode_errors():
        result: T = decoder.decode(data)
    return result


@contextmanager
def _raise_decode_errors() -> Iterator[None]:
    """Turn the decoder's other errors, of text that is not UTF-8 and of endless nesting, into DecodeError."""
    try:
        yield
    except (UnicodeError, RecursionError) as error:
        raise DecodeError(f"the text cannot be read ({type(error).__name__})") from error
