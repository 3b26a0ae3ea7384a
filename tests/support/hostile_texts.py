"""Texts that would break a screen if they were drawn as they come."""

HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]2;title\x07 \x9b1m",
    "[bold]markup[/bold] [@click=app.exit]x[/] [/] [[",
    "line\nbreak\r\ttab\x00\x7f",
    "right\u202eto left\u2066 and \u200bnothing\ufeff",
    "広い文字の市場 and é combining e\u0301",
    "x" * 5_000,
    "",
)
