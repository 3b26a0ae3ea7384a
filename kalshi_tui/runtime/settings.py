"""The trader's settings: a TOML file, read once at the start. Every setting has a default, so no file is needed.

Prices, counts and money are written as text in the exchange's own form ("0.05", "10", "250"), so that none of
them ever is a binary fraction.
"""

import difflib
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from kalshi_tui.domain.limits import RiskLimits
from kalshi_tui.domain.price import NumberError, parse_count, parse_money, parse_price
from kalshi_tui.session.options import DeadManOptions, SessionOptions, TicketDefaults
from kalshi_tui.ui.ui_settings import DEFAULT_COLUMN_ORDER, UiSettings

SETTINGS_FILE: Final = "settings.toml"
MAX_PRESETS: Final = 9
MAX_BY_NAME: Final = 1_000
MIN_ROLLING_EXPIRY_S: Final = 60
MAX_ROLLING_EXPIRY_S: Final = 86_400

NumberParser = Callable[[str], int]


class SettingsError(Exception):
    """The settings cannot be used. The message is a sentence; ``name`` is the setting's, such as ``screen.theme``."""

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class TicketSettings(_Section, frozen=True):
    """``[ticket]``: what an order ticket begins with."""

    presets: Annotated[
        tuple[str, ...],
        Meta(description="Counts of contracts at hand by a key in the ticket; the first is the count of a new ticket."),
    ] = ("10", "1", "5", "25", "100")


class ScreenSettings(_Section, frozen=True):
    """``[screen]``: how the desk looks."""

    theme: Annotated[
        Literal["auto", "desk", "paper", "safe", "contrast", "sixteen"],
        Meta(
            description=(
                "The set of colors: dark, light, blue and orange alone, high contrast, the terminal's own "
                "16; or as it can."
            )
        ),
    ] = "auto"
    columns: Annotated[
        tuple[str, ...],
        Meta(
            description=(
                "The columns of the market list in the order in which they stand; those that have no room are "
                "left out. Of bid, bid_size, ask, ask_size, spread, last, change, day, volume, interest, "
                "closes, held, orders; empty: all of them."
            )
        ),
    ] = ()


class LimitSettings(_Section, frozen=True):
    """``[limits]``: the trader's own. What is left out is not limited."""

    order_contracts: Annotated[str | None, Meta(description="The most contracts of one order.")] = None
    order_dollars: Annotated[str | None, Meta(description="The most dollars that one order may put at risk.")] = None
    market_contracts: Annotated[
        str | None,
        Meta(description="The most contracts of one market held and ordered on one side."),
    ] = None
    market_dollars: Annotated[str | None, Meta(description="The most dollars at risk in one market.")] = None
    day_contracts: Annotated[str | None, Meta(description="The most contracts ordered in a day.")] = None
    day_dollars: Annotated[str | None, Meta(description="The most dollars put at risk in a day.")] = None
    distance: Annotated[
        str | None,
        Meta(
            description="How far beyond the best bid or ask a price may be, in dollars, either way. Left out, a limit "
            "more than 10 cents through the best opposite price asks for a word."
        ),
    ] = None
    passing: Annotated[
        Literal["word", "never"],
        Meta(description="Whether a typed word passes a limit, or nothing does."),
    ] = "word"


class CancelAllSettings(_Section, frozen=True):
    """``[cancel_all]``: how all orders are canceled."""

    by_name: Annotated[
        int,
        Meta(
            description=(
                "Up to so many resting orders are canceled by name; more, with one call, after which the exchange may "
                "cancel new orders too for a minute."
            )
        ),
    ] = 50


class DeadManSettings(_Section, frozen=True):
    """``[dead_man]``: what happens to resting orders when nobody watches. All off unless set."""

    cancel_on_quit: Annotated[bool, Meta(description="Cancel all orders when the program ends.")] = False
    link_lost_s: Annotated[
        int | None,
        Meta(
            description="Cancel all orders as soon as the link is back, if it was lost for so many seconds or longer."
        ),
    ] = None
    expire_after_s: Annotated[
        int | None,
        Meta(
            description=(
                "The longest that an order may rest, in seconds: the exchange ends it, whatever becomes of "
                "this machine."
            )
        ),
    ] = None
    rolling_expiry_s: Annotated[
        int | None,
        Meta(
            description=(
                "Orders get an expiry so many seconds ahead (60 to 86400), renewed while the desk runs: if this "
                "machine dies, they end by themselves."
            )
        ),
    ] = None


class AlertSettings(_Section, frozen=True):
    """``[alerts]``: what happens when an alert rings, besides the log and the list of alerts."""

    bell: Annotated[bool, Meta(description="Ring the terminal's bell, once a second at the most.")] = True
    notify: Annotated[
        bool,
        Meta(description="Have the terminal show a notification on the desktop; not every terminal can (OSC 9)."),
    ] = False
    command: Annotated[
        tuple[str, ...],
        Meta(
            description=(
                "A program and its arguments, started with the alert's sentence as one further argument. No "
                "shell reads it."
            )
        ),
    ] = ()


class ProfileSettings(_Section, frozen=True):
    """``[profiles.NAME]``: an exchange and the key for it. practice, demo and live have their own addresses."""

    rest_url: Annotated[
        str,
        Meta(description="Of a profile of your own: where the REST API is; https://, ending in /trade-api/v2."),
    ] = ""
    ws_url: Annotated[
        str,
        Meta(description="Of a profile of your own: where the stream is; wss://, ending in /trade-api/ws/v2."),
    ] = ""
    money: Annotated[
        Literal["practice", "demo", "live"],
        Meta(
            description=(
                "Of a profile of your own: what an order costs there. It decides the word and the color on "
                "every screen."
            )
        ),
    ] = "live"
    api_key_id: Annotated[str, Meta(description="The id of the API key, as the exchange shows it.")] = ""
    private_key_path: Annotated[
        str,
        Meta(description="The file of the private key; it must be yours and readable by you alone."),
    ] = ""
    passphrase_command: Annotated[
        tuple[str, ...],
        Meta(
            description=(
                "A program and its arguments that print the key's passphrase; without a private_key_path, the "
                "key itself."
            )
        ),
    ] = ()
    keyring: Annotated[
        bool,
        Meta(description="Take the passphrase from the system's keyring; without a private_key_path, the key itself."),
    ] = False
    read_only: Annotated[
        bool,
        Meta(description="Watch only: nothing is sent, changed or canceled with this profile."),
    ] = False
    proxy: Annotated[
        str,
        Meta(description="The proxy to go through, http:// or https://; variables of the environment name none."),
    ] = ""


class Settings(_Section, frozen=True):
    """The whole file."""

    env: Annotated[
        str,
        Meta(description="The profile that is taken where none is named: practice, demo, live, or one of your own."),
    ] = "practice"

    ticket: TicketSettings = msgspec.field(default_factory=TicketSettings)
    screen: ScreenSettings = msgspec.field(default_factory=ScreenSettings)
    limits: LimitSettings = msgspec.field(default_factory=LimitSettings)
    cancel_all: CancelAllSettings = msgspec.field(default_factory=CancelAllSettings)
    dead_man: DeadManSettings = msgspec.field(default_factory=DeadManSettings)
    alerts: AlertSettings = msgspec.field(default_factory=AlertSettings)
    profiles: Annotated[
        dict[str, ProfileSettings],
        Meta(description="``[profiles.NAME]``: exchanges and keys."),
    ] = msgspec.field(default_factory=dict)
    keys: Annotated[
        dict[str, str | tuple[str, ...]],
        Meta(
            description=(
                '``[keys]``: keys of the desk by the command\'s id, in the place of the usual ones; "" is none.'
            )
        ),
    ] = msgspec.field(default_factory=dict)


def build_session_options(settings: Settings, *, read_only: bool = False) -> SessionOptions:
    """Turn the settings into what a session takes. Raises SettingsError, naming the setting."""
    limits, dead = settings.limits, settings.dead_man
    if not 1 <= len(settings.ticket.presets) <= MAX_PRESETS:
        raise SettingsError(f"ticket.presets needs one to {MAX_PRESETS} counts.", "ticket.presets")
    presets = tuple(_parse_positive("ticket.presets", parse_count, text) for text in settings.ticket.presets)
    for name, seconds in (("link_lost_s", dead.link_lost_s), ("expire_after_s", dead.expire_after_s)):
        if seconds is not None and seconds <= 0:
            raise SettingsError(f"dead_man.{name} must be more than 0 seconds, or left out.", f"dead_man.{name}")
    rolling = dead.rolling_expiry_s
    if rolling is not None and not MIN_ROLLING_EXPIRY_S <= rolling <= MAX_ROLLING_EXPIRY_S:
        raise SettingsError(
            f"dead_man.rolling_expiry_s must be {MIN_ROLLING_EXPIRY_S} to {MAX_ROLLING_EXPIRY_S} seconds, or left out.",
            "dead_man.rolling_expiry_s",
        )

    if not 0 <= settings.cancel_all.by_name <= MAX_BY_NAME:
        raise SettingsError(f"cancel_all.by_name must be 0 to {MAX_BY_NAME}.", "cancel_all.by_name")
    if settings.alerts.command[:1] == ("",) or any("\0" in part for part in settings.alerts.command):
        raise SettingsError(
            'alerts.command must begin with a program, such as ["notify-send", "Kalshi"].', "alerts.command"
        )

    def limit(name: str, parse: NumberParser) -> int | None:
        text: str | None = getattr(limits, name)
        return None if text is None else _parse_positive(f"limits.{name}", parse, text)

    return SessionOptions(
        limits=RiskLimits(
            order_contracts=limit("order_contracts", parse_count),
            order_dollars=limit("order_dollars", parse_money),
            market_contracts=limit("market_contracts", parse_count),
            market_dollars=limit("market_dollars", parse_money),
            day_contracts=limit("day_contracts", parse_count),
            day_dollars=limit("day_dollars", parse_money),
            distance=limit("distance", parse_price),
            hard=limits.passing == "never",
        ),
        ticket=TicketDefaults(
            presets=presets, expire_after_s=dead.expire_after_s, rolling_expiry_s=dead.rolling_expiry_s
        ),
        dead_man=DeadManOptions(dead.cancel_on_quit, dead.link_lost_s, dead.rolling_expiry_s),
        max_canceled_by_name=settings.cancel_all.by_name,
        read_only=read_only,
        alert_command=settings.alerts.command,
    )


def build_ui_settings(settings: Settings) -> UiSettings:
    """Turn the settings into what the screen takes. Raises SettingsError, naming the setting."""
    columns = settings.screen.columns
    for each in columns:
        if each not in DEFAULT_COLUMN_ORDER:
            near = difflib.get_close_matches(each, DEFAULT_COLUMN_ORDER, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"screen.columns: there is no column {each}.{hint}", "screen.columns")
    if len(set(columns)) < len(columns):
        raise SettingsError("screen.columns: each column stands there once.", "screen.columns")
    keys = {each: (texts,) if isinstance(texts, str) else texts for each, texts in settings.keys.items()}
    keys = {each: tuple(filter(None, texts)) for each, texts in keys.items()}
    if keys:
        # Slow to import, and seldom needed.
        from kalshi_tui.ui.desk_keys import DESK_KEYS  # noqa: PLC0415
        from kalshi_tui.ui.keymap import InvalidKeymapError, remap_keys  # noqa: PLC0415

        try:
            remap_keys(DESK_KEYS, keys)
        except InvalidKeymapError as error:
            raise SettingsError(f"[keys]: {error}", "keys") from error
    return UiSettings(
        theme=settings.screen.theme,
        columns=columns,
        keys=keys,
        bell=settings.alerts.bell,
        notify=settings.alerts.notify,
    )


def _parse_positive(name: str, parse: NumberParser, text: str) -> int:
    try:
        value = parse(text)
    except NumberError as error:
        raise SettingsError(f"{name}: {error}", name) from error
    if value <= 0:
        raise SettingsError(f"{name} must be more than 0.", name)
    return value
