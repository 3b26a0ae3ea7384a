"""The faults that a trader can rehearse on the practice exchange: names, help, and the request for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ControlValues = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class PracticeFault:
    """One fault, or the end of one."""

    id: str
    label: str
    """Its name in the palette, behind "Rehearse:"."""
    help: str
    action: str
    """The action of ``/practice/control``."""
    values: ControlValues = field(default_factory=dict)
    needs_market: bool = False
    """Whether it happens in the selected market."""


def _market_fault(id_: str, label: str, help_: str, action: str, **values: str | int | bool) -> PracticeFault:
    return PracticeFault(id_, label, help_, action, values, needs_market=True)


def _exchange_fault(id_: str, label: str, help_: str, action: str, **values: str | int | bool) -> PracticeFault:
    return PracticeFault(id_, label, help_, action, values)


PRACTICE_FAULTS: Final = (
    _exchange_fault("drop", "drop the connection", "Cut the stream; it has to come back by itself.",
    "drop_connections"),
    _exchange_fault("skip", "lose a frame", "One frame of the stream is never sent.", "skip_frames", count=1),
    _exchange_fault("double", "double a frame", "One frame of the stream is sent twice.", "duplicate_frame", count=1),
    _exchange_fault("corrupt", "damage a frame", "One frame of the stream is no JSON.", "corrupt_frame", count=1),
    _exchange_fault("old-sid", "late frames", "Frames come of a subscription given up.", "old_sid_frames", count=3),
    _exchange_fault("overflow", "reader too slow", "The exchange gives up on a slow reader (code 25).", "overflow"),
    _exchange_fault("pause-trading", "pause trading", "Orders are refused, cancels are taken.", "pause_trading"),
    _exchange_fault("resume-trading", "resume trading", "Orders are taken again.", "resume_trading"),
    _exchange_fault("pause-exchange", "pause the exchange", "Nothing is taken, not even cancels.", "pause_exchange"),
    _exchange_fault("resume-exchange", "resume the exchange", "All is taken again.", "resume_exchange"),
    _exchange_fault("slow", "slow replies", "The next 10 replies come 3 s late.", "delay_responses", ms=3_000,
    count=10),
    _exchange_fault("quick", "quick replies", "Replies come at once again.", "delay_responses", ms=0, count=0),
    _exchange_fault(
        "fail", "fail an order", "The next order fails with 503, and was not taken.", "fail_responses",
        status=503, count=1, after_processing=False, method="POST",
    ),
    _exchange_fault(
        "lost-reply", "lose a reply", "The next order is taken, and its reply is lost.", "fail_responses",
        status=504, count=1, after_processing=True, method="POST",
    ),
    _exchange_fault("rate-limit", "rate limit", "The next 3 requests are too many (429).", "rate_limit", count=3),
    _exchange_fault("late-reads", "late reads", "Orders, fills and positions answer 3 s late.", "read_lag", ms=3_000),
    _exchange_fault("prompt-reads", "prompt reads", "Orders, fills and positions answer truly again.", "read_lag",
    ms=0),
    _exchange_fault("skew", "a wrong clock", "The exchange's clock is 30 s ahead of ours.", "set_clock_skew",
    ms=30_000),
    _exchange_fault("no-skew", "a right clock", "The exchange's clock agrees with ours again.", "set_clock_skew", ms=0),
    _exchange_fault("quarter", "15 minutes later", "The exchange's time leaps forward.", "advance_clock", ms=900_000),
    _market_fault("settle-yes", "settle as YES", "The chosen market ends, YES pays $1.", "settle", result="yes"),
    _market_fault("settle-no", "settle as NO", "The chosen market ends, NO pays $1.", "settle", result="no"),
    _market_fault("settle-half", "settle at 0.50", "The chosen market ends, each side pays $0.50.", "settle",
    result="0.50"),
    _market_fault("deactivate", "halt the market", "The chosen market is halted: it takes no orders.", "deactivate"),
    _market_fault("activate", "reopen the market", "The chosen market trades again; what rested is canceled.",
    "activate"),
    _market_fault("fine", "fine prices", "The chosen market trades in tenths of a cent.", "change_grid",
            structure="deci_cent"),
    _market_fault("cents", "whole cents", "The chosen market trades in whole cents.", "change_grid",
            structure="linear_cent"),
)  # fmt: skip
FAULTS_BY_ID: Final = {fault.id: fault for fault in PRACTICE_FAULTS}
