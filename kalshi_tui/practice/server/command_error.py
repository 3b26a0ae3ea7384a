"""What a command over the stream is answered with when it cannot be carried out (docs/kalshi-api.md, section 5)."""

from typing import Final

from kalshi_tui.kalshi.wire import ErrorCode

ERROR_MESSAGES: Final = {
    ErrorCode.GENERAL: "Unable to process message",
    ErrorCode.PARAMS_REQUIRED: "Params required",
    ErrorCode.CHANNELS_REQUIRED: "Channels required",
    ErrorCode.SIDS_REQUIRED: "Subscription IDs required",
    ErrorCode.UNKNOWN_COMMAND: "Unknown command",
    ErrorCode.UNKNOWN_SID: "Unknown subscription ID",
    ErrorCode.UNKNOWN_CHANNEL: "Unknown channel name",
    ErrorCode.INVALID_PARAMETER: "Invalid parameter",
    ErrorCode.EXACTLY_ONE_SID: "Exactly one subscription ID is required",
    ErrorCode.UNSUPPORTED_ACTION: "Unsupported action",
    ErrorCode.MARKET_REQUIRED: "Market ticker required",
    ErrorCode.ACTION_REQUIRED: "Action required",
    ErrorCode.BUFFER_OVERFLOW: "Subscription buffer overflow",
    ErrorCode.MARKET_LIMIT: "Market limit exceeded",
    ErrorCode.COMMAND_RATE: "Command rate exceeded",
}


class CommandError(Exception):
    """A command that cannot be carried out; ``code`` is one of `ErrorCode`."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.detail = detail or ERROR_MESSAGES[code]
        super().__init__(self.detail)
