"""``order``: its options; `order_run` sends the order."""

import argparse

from kalshi_tui.cli.exit_codes import UsageError
from kalshi_tui.cli.flags import add_write_options
from kalshi_tui.cli.parser import ORDER_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.subaccounts import add_subaccount_option


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    order = commands.add(
        "order",
        run,
        summary="send an order",
        description="Send one limit order. PRICE is of the outcome named: 0.42 in dollars or 42c in cents; COUNT is in "
        "contracts, with up to two decimals where the market has them.\n\n"
        "The checks, the journal and the limits are those of the desk's ticket. First the preview is shown: what fills "
        "now and what rests, cost, fees, the most it can lose and gain. Then, at a terminal, a question; --yes answers "
        "it, and is needed where nobody can be asked. With real money the word LIVE is asked for instead of y. What "
        "takes a further word or answer in the ticket takes a flag here: --over-limit, --blind, --second, "
        "--after-cancel-all. Hard limits and --read-only let nothing pass.\n\n"
        "Your own resting orders count: those on the same side as filled first, and one in the way is no liquidity. By "
        "default the exchange ends the order there and cancels what is left of it; --self-trade maker makes it cancel "
        "the order in the way instead. --cancel-first cancels that one before anything is sent.\n\n"
        "The command ends when the outcome is known: resting, filled, canceled, rejected, not sent. If the answer is "
        "lost, the exchange is asked about the order for up to --wait seconds; then it is UNKNOWN, with an exit code "
        "of its own. Do not send it again then: it may be live. It is in the journal, and the next order or desk "
        "on the same folder follows it up. Ctrl+C while it is in flight prints the ids and says UNKNOWN.",
        examples=(
            "kalshi-tui order buy yes KXRECESSION-26 10@0.20 --dry-run",
            "kalshi-tui order buy no KXRECESSION-26 10@80c --tif ioc --yes",
            "kalshi-tui order sell yes KXRECESSION-26 10@0.40 --cancel-first --yes",
            "kalshi-tui order sell yes KXRECESSION-26 2.5@0.25 --post-only --expires +10m --yes --json",
        ),
        exit_codes=ORDER_EXIT_CODES,
        json="one JSON object",
    )
    order.add_argument("action", choices=("buy", "sell"), help="what to do with the outcome")
    order.add_argument("side", choices=("yes", "no"), help="the outcome")
    order.add_argument("ticker", metavar="T", help="the market's ticker")
    order.add_argument("amount", metavar="COUNT@PRICE", help="how many at which price: 10@0.42 or 10@42c")
    order.add_argument(
        "--tif",
        choices=("gtc", "ioc", "fok"),
        default="gtc",
        help="good till canceled (default), immediate or cancel, fill or kill",
    )
    order.add_argument("--post-only", action="store_true", help="reject it if it would trade at once")
    order.add_argument("--reduce-only", action="store_true", help="only make a holding smaller; with --tif ioc")
    order.add_argument("--expires", metavar="WHEN", help="when it ends: 15:30, +10m, 2h, 90s")
    order.add_argument(
        "--self-trade",
        choices=("taker_at_cross", "maker"),
        default="taker_at_cross",
        help="where it meets an order of your own: cancel what is left of it (default), or cancel the other",
    )
    order.add_argument(
        "--cancel-first", action="store_true", help="cancel your own orders in its way; only then send it"
    )
    add_subaccount_option(order, "the subaccount that it is for")
    order.add_argument("--dry-run", action="store_true", help="show the preview and send nothing")
    add_write_options(order)
    order.add_argument(
        "--after-cancel-all",
        action="store_true",
        help="send it in the minute after one call canceled all orders, though it may be canceled too",
    )


def run(options: argparse.Namespace) -> int:
    """Send an order."""
    from kalshi_tui.domain.price import NumberError
    from kalshi_tui.order_entry.amount import parse_amount

    try:
        amount = parse_amount(options.amount)
    except NumberError as error:
        raise UsageError(str(error), "kalshi-tui order") from error
    from kalshi_tui.cli.order_run import send_order

    return send_order(options, *amount)
