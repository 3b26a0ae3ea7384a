"""The program on a practice exchange whose every text for people is hostile: `python -m tests.support.hostile_titles`.

Both processes are the real ones. In the exchange's, the texts are exchanged where replies and frames are encoded, after
all that is checked there; in the screen's, only the name of the module differs that it starts as its exchange.
"""

import itertools
import subprocess
import sys
from typing import Any, Final

import msgspec

import kalshi_tui.runtime.launch
from kalshi_tui.__main__ import main
from kalshi_tui.kalshi import wire

MODULE: Final = "tests.support.hostile_titles"
HOSTILE: Final = (
    "\x1b]52;c;ZXZpbA==\x07Clip\x1b[31mred\x1b[0m",
    "\x1b]0;Owned\x07Title\x1b]2;Owned\x1b\\",
    "\x1b]8;;http://evil.invalid\x1b\\Link\x1b]8;;\x1b\\",
    "\x1bP1$r\x1b\\Dcs\x1b_Gapc\x1b\\\x1b^pm\x1b\\",
    "\x9b5mCsi\x9d52;c;ZXZpbA==\x9c\x90q\x9c",
    "\x1b[2J\x1b[?1049lWipe\x1bc\x1b[5;7mblink",
    "Bell\x07\x07\x08\x0e\x0f\x00\x7f\r\n\t\v\f",
    "[bold red]Markup[/bold red] [@click=app.exit]x[/] [/ [/] [[ \\[ [link=http://evil.invalid]y[/link]",
    "[/Close] {0} %s $HOME `id` <b>&amp;",
    "Rtl\u202e\u2066\u2067gnirts\u200f\u061c\u2069 \u05e9\u05dc\u05d5\u05dd",
    "Zero\u200b\u200d\ufeff\u2060\u00ad\u2028\u2029\U000e0041\ue000\ufdd0",
    "Long" + "x" * 9_996,
    "Tower" + "\u0301" * 5_000 + "t\u0489\u20dd\u0300",
    "\u5e83\u3044CJK\u5e02\u5834\u306e\u984c\u540d\uff21\uff22\uff23",
    "Emoji \u2764\ufe0f\U0001f44d\U0001f3fb\U0001f1e9\U0001f1ea1\ufe0f\u20e3\U0001f469\u200d\U0001f469 \u231a\ufe0e",
    "Jamo\u1112\u1161\u11ab\u3164\u115f\u1160 \ufdfd \u0e01\u0e33 \u0ba8\u0bbf",
    "\ud800Lone\udfff".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    " ",
)
"""Each with a word by which it is known on the screen."""
MARKERS: Final = (
    "Clip",
    "Title",
    "Link",
    "Dcs",
    "Csi",
    "Wipe",
    "Bell",
    "Markup",
    "Close",
    "Rtl",
    "Zero",
    "Long",
    "Towe",
)
FOR_PEOPLE: Final = frozenset(
    {"title", "sub_title", "subtitle", "yes_sub_title", "no_sub_title", "rules_primary", "rules_secondary", "category"}
    | {"early_close_condition", "details", "message", "name", "url", "contract_url", "contract_terms_url"}
)
IDENTITIES: Final = ("ticker", "event_ticker", "order_id", "trade_id", "client_order_id")
LISTS: Final = ("markets", "events", "orders", "fills", "trades", "market_positions")


class _Speller:
    """Returns each text a hostile one in its place, always the same for the same."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._next = itertools.cycle(HOSTILE)

    def text(self, text: str) -> str:
        if text not in self._given:
            self._given[text] = next(self._next)
        return self._given[text]

    def spoiled(self, body: Any, name: str = "") -> Any:
        """Spoil what stands under names of texts for people, and put items with hostile identities into lists."""
        if isinstance(body, dict):
            return {key: self.spoiled(value, key) for key, value in body.items()}
        if isinstance(body, list):
            made = [self.spoiled(each, name) for each in body]
            if name in LISTS and made and isinstance(made[0], dict):
                for field in IDENTITIES:
                    if field in made[0]:
                        made.insert(1, made[0] | {field: self.text(f"{name} {field}")})
            return made
        return self.text(body) if name in FOR_PEOPLE and isinstance(body, str) and body else body


def spoil_the_exchange() -> None:
    """Have all that the exchange encodes go out spoiled."""
    encode, speller = wire.encode, _Speller()

    def spoiling(body: Any) -> bytes:
        encoded = encode(body)
        # The fields of a reply are known by their names, those of book and trade frames hold no text.
        if not any(f'"{name}"'.encode() in encoded for name in ("title", "message", "markets", "orders")):
            return encoded
        return msgspec.json.encode(speller.spoiled(msgspec.json.decode(encoded)))

    wire.encode = spoiling  # type: ignore[assignment]  # in this process alone


def start_this_exchange() -> None:
    """Have the screen start this module as its exchange."""
    usual = subprocess.Popen

    def start(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        return usual([MODULE if word == "kalshi_tui" else word for word in command], **options)

    kalshi_tui.runtime.launch.subprocess.Popen = start  # type: ignore[attr-defined]  # in this process alone


if __name__ == "__main__":
    if "practice" in sys.argv[1:2]:
        spoil_the_exchange()
    else:
        start_this_exchange()
    sys.exit(main())
