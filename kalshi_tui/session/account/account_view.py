"""Which subaccounts there are, which of them are shown, and to which one an order goes.

docs/kalshi-api.md, section 13: 0 is the primary; a key may be locked to one subaccount, whose number it is not told.
"""

from collections.abc import Iterable

from kalshi_tui.domain.order import OrderTerms

PRIMARY = 0


class AccountView:
    """The subaccounts of one key, and the trader's choice among them. Orders go to the one that is chosen."""

    def __init__(self) -> None:
        self._numbers: tuple[int, ...] = (PRIMARY,)
        self._chosen = PRIMARY
        self._shows_all = True
        self._locked = False
        self._own: int | None = None
        """The number of the one subaccount of a locked key, None while nothing has named it."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The subaccounts that are known, the lowest number first."""
        return (self._own or PRIMARY,) if self._locked else self._numbers

    @property
    def several(self) -> bool:
        """Whether there are subaccounts beside the primary that this key may use."""
        return len(self.numbers) > 1

    @property
    def is_locked(self) -> bool:
        """Whether the key is locked to one subaccount."""
        return self._locked

    @property
    def own_number(self) -> int | None:
        """The number of a locked key's subaccount, None while nothing has named it, and for other keys."""
        return self._own if self._locked else None

    @property
    def chosen(self) -> int:
        """The number of the subaccount that an order goes to, and whose cash and positions it is measured by."""
        return self.numbers[0] if self._locked else self._chosen

    @property
    def shows_all(self) -> bool:
        """Whether lists show every subaccount, and not the chosen one alone."""
        return self._shows_all or self._locked

    @property
    def scope(self) -> int | None:
        """The one subaccount in view, None for all."""
        return None if self.shows_all else self._chosen

    @property
    def for_order(self) -> int | None:
        """What an order says of its subaccount; None where the exchange takes the right one by itself."""
        return None if self._locked else self._chosen or None

    def includes(self, subaccount: int) -> bool:
        """Return whether what belongs to a subaccount is in view."""
        return self.scope in {None, subaccount}

    def number_of(self, terms: OrderTerms) -> int:
        """Return the subaccount that an order is for."""
        if terms.subaccount is not None:
            return terms.subaccount
        return self.numbers[0] if self._locked else PRIMARY

    def known_number_of(self, terms: OrderTerms) -> int | None:
        """Return the subaccount that an order is for, None while nothing has named that of a locked key."""
        return None if terms.subaccount is None and self._locked and self._own is None else self.number_of(terms)

    def request_number(self, number: int) -> int | None:
        """Return what a read of one subaccount has to say; None where it is meant by itself."""
        return None if self._locked or number == PRIMARY else number

    def choose(self, number: int | None) -> None:
        """Show one subaccount and send orders there, or show all; which one orders go to stays then."""
        self._shows_all = number is None
        if number is not None:
            self._chosen = number

    def learn(self, number: int) -> bool:
        """Note that something belongs to this subaccount; return whether that is news."""
        if self._locked:
            before, self._own = self._own, self._own or number or None
            return before != self._own
        if number in self._numbers:
            return False
        self._numbers = tuple(sorted({*self._numbers, number}))
        return True

    def add_numbers(self, numbers: Iterable[int]) -> bool:
        """Add what the exchange's list has; return whether that is news.

        None is taken away: a list may lag, or an item of it be unreadable, and the positions there would vanish.
        """
        before = self._numbers
        self._numbers = tuple(sorted({*before, *numbers}))
        return self._numbers != before

    def lock(self) -> bool:
        """Note that the key is locked to one subaccount; return whether that is news."""
        if self._locked:
            return False
        self._locked = True
        # What came already names it, and so does a number that was asked for: any other one would be refused.
        named = [each for each in (self._chosen, *self._numbers) if each]
        self._own = named[0] if named else None
        return True


def subaccount_text(number: int) -> str:
    """Return a subaccount's name in a sentence."""
    return f"subaccount {number}" if number else "the primary account"
