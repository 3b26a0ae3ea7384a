"""The trader's settings: a TOML file, read once at the start. Every setting has a default; without a file all hold.

Prices, counts and money are written as text in the exchange's own form ("0.05", "10", "250"), so that none of them
ever is a binary fraction.
"""

import difflib
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from kalshi_tui.domain.limits import Limits
from kalshi_tui.domain.price import NumberError, parse_count, parse_money, parse_price
from kalshi_tui.session.options import DeadMan, Options, TicketDefaults
from kalshi_tui.ui.wishes import SHOWN_ORDER, Wishes

FILE: Final = "settings.toml"
MOST_PRESETS: Final = 9

Parser = Callable[[str], int]


class SettingsError(Exception):
    """The settings cannot be used. The message is a sentence that names the file and the setting."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class TicketSettings(_Section, frozen=True):
    """``[ticket]``: what an order ticket begins with."""

    presets: tuple[str, ...] = ("10", "1", "5", "25", "100")
    """Counts of contracts at hand by a key in the ticket; the first is the count of a new ticket."""


class ScreenSettings(_Section, frozen=True):
    """``[screen]``: how it looks."""

    theme: Literal["auto", "desk", "paper", "safe", "contrast", "sixteen"] = "auto"
    """The set of colours: dark, light, blue and orange alone, high contrast, the terminal's own 16; or as it can."""
    columns: tuple[str, ...] = ()
    """The columns of the market list in the order in which they stand; those that have no room are left out. Of bid,
    bid_size, ask, ask_size, spread, last, change, day, volume, interest, closes, held, orders; empty: all of them."""


class LimitSettings(_Section, frozen=True):
    """``[limits]``: the trader's own. What is left out is not limited."""

    order_contracts: str | None = None
    """The most contracts of one order."""
    order_dollars: str | None = None
    """The most dollars that one order may put at risk."""
    market_contracts: str | None = None
    """The most contracts of one market held and ordered on one side."""
    market_dollars: str | None = None
    """The most dollars at risk in one market."""
    day_contracts: str | None = None
    """The most contracts ordered in a day."""
    day_dollars: str | None = None
    """The most dollars put at risk in a day."""
    distance: str | None = None
    """How far beyond the best bid or ask a price may be, in dollars."""
    passing: Literal["word", "never"] = "word"
    """Whether a typed word passes a limit, or nothing does."""


class DeadManSettings(_Section, frozen=True):
    """``[dead_man]``: what happens to resting orders when nobody watches. All off unless set."""

    cancel_on_quit: bool = False
    """Cancel all orders when the program ends."""
    link_lost_s: int | None = None
    """Cancel all orders as soon as the link is back, if it was lost for so many seconds or longer."""
    expire_after_s: int | None = None
    """The longest that an order may rest, in seconds: the exchange ends it, whatever becomes of this machine."""


class AlertSettings(_Section, frozen=True):
    """``[alerts]``: what happens when an alert rings, besides the log and the list of alerts."""

    bell: bool = True
    """Ring the terminal's bell, once a second at the most."""
    notify: bool = False
    """Have the terminal show a notification on the desktop; not every terminal can (OSC 9)."""
    command: tuple[str, ...] = ()
    """A program and its arguments, started with the alert's sentence as one further argument. No shell reads it."""


class Settings(_Section, frozen=True):
    """The whole file."""

    ticket: TicketSettings = msgspec.field(default_factory=TicketSettings)
    screen: ScreenSettings = msgspec.field(default_factory=ScreenSettings)
    limits: LimitSettings = msgspec.field(default_factory=LimitSettings)
    dead_man: DeadManSettings = msgspec.field(default_factory=DeadManSettings)
    alerts: AlertSettings = msgspec.field(default_factory=AlertSettings)
    keys: dict[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict)
    """``[keys]``: keys of the desk by the command's id, in the place of the usual ones; "" is none."""


def read_settings(path: Path, *, must_exist: bool = False) -> Settings:
    """Read the file; one that is not there counts as empty, unless it was asked for. Raises SettingsError."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if not must_exist:
            return Settings()
        raise SettingsError(f"There is no settings file {path}.") from None
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read ({error.strerror or error}).") from error
    try:
        return msgspec.convert(tomllib.loads(text.decode("utf-8")), Settings)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} is no TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"In the settings file {path}: {_plainly(str(error))}") from error


def _plainly(error: str) -> str:
    """Say msgspec's error as a sentence, with the nearest right name for an unknown one."""
    what, _, where = error.partition(" - at `$")
    section = where.rstrip("`").lstrip(".")
    if "unknown field" in what:
        name = what.rpartition("`")[0].rpartition("`")[2]
        tables: dict[str, Sequence[str]] = {
            "": Settings.__struct_fields__,
            "ticket": TicketSettings.__struct_fields__,
            "screen": ScreenSettings.__struct_fields__,
            "limits": LimitSettings.__struct_fields__,
            "dead_man": DeadManSettings.__struct_fields__,
            "alerts": AlertSettings.__struct_fields__,
        }
        near = difflib.get_close_matches(name, tables[section], 1)
        full = f"{section}.{name}" if section else name
        return f"there is no setting {full}." + (f" Did you mean {near[0]}?" if near else "")
    return f"{section}: {what}."


def options_of(settings: Settings, *, read_only: bool = False) -> Options:
    """Turn the settings into what a session takes. Raises SettingsError, naming the setting."""
    limits, dead = settings.limits, settings.dead_man
    if not 1 <= len(settings.ticket.presets) <= MOST_PRESETS:
        raise SettingsError(f"ticket.presets needs one to {MOST_PRESETS} counts.")
    presets = tuple(_positive("ticket.presets", parse_count, text) for text in settings.ticket.presets)
    for name, seconds in (("link_lost_s", dead.link_lost_s), ("expire_after_s", dead.expire_after_s)):
        if seconds is not None and seconds <= 0:
            raise SettingsError(f"dead_man.{name} must be more than 0 seconds, or left out.")

    if settings.alerts.command[:1] == ("",) or any("\0" in part for part in settings.alerts.command):
        raise SettingsError('alerts.command must begin with a program, such as ["notify-send", "Kalshi"].')

    def limit(name: str, parse: Parser) -> int | None:
        text: str | None = getattr(limits, name)
        return None if text is None else _positive(f"limits.{name}", parse, text)

    return Options(
        limits=Limits(
            order_contracts=limit("order_contracts", parse_count),
            order_dollars=limit("order_dollars", parse_money),
            market_contracts=limit("market_contracts", parse_count),
            market_dollars=limit("market_dollars", parse_money),
            day_contracts=limit("day_contracts", parse_count),
            day_dollars=limit("day_dollars", parse_money),
            distance=limit("distance", parse_price),
            hard=limits.passing == "never",
        ),
        ticket=TicketDefaults(presets=presets, expire_after_s=dead.expire_after_s),
        dead_man=DeadMan(dead.cancel_on_quit, dead.link_lost_s),
        read_only=read_only,
        alert_command=settings.alerts.command,
    )


def looks_of(settings: Settings) -> Wishes:
    """Turn the settings into what the screen takes. Raises SettingsError, naming the setting."""
    columns = settings.screen.columns
    for each in columns:
        if each not in SHOWN_ORDER:
            near = difflib.get_close_matches(each, SHOWN_ORDER, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"screen.columns: there is no column {each}.{hint}")
    if len(set(columns)) < len(columns):
        raise SettingsError("screen.columns: each column stands there once.")
    keys = {each: (texts,) if isinstance(texts, str) else texts for each, texts in settings.keys.items()}
    keys = {each: tuple(filter(None, texts)) for each, texts in keys.items()}
    if keys:
        # Slow to import, and seldom wanted.
        from kalshi_tui.ui.commands import COMMANDS  # noqa: PLC0415
        from kalshi_tui.ui.keymap import KeysRefusedError, rebound  # noqa: PLC0415

        try:
            rebound(COMMANDS, keys)
        except KeysRefusedError as error:
            raise SettingsError(f"[keys]: {error}") from error
    return Wishes(
        theme=settings.screen.theme,
        columns=columns,
        keys=keys,
        bell=settings.alerts.bell,
        notify=settings.alerts.notify,
    )


def _positive(name: str, parse: Parser, text: str) -> int:
    try:
        value = parse(text)
    except NumberError as error:
        raise SettingsError(f"{name}: {error}") from error
    if value <= 0:
        raise SettingsError(f"{name} must be more than 0.")
    return value
