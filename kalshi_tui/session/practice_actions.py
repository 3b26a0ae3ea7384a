"""What a trader can have the practice exchange do: make a fault, or move the recording that it plays."""

from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.practice_faults import ControlValues, PracticeFault
from kalshi_tui.session.store import Store
from kalshi_tui.session.supervisor import Supervisor


class PracticeActions:
    """Sends actions to the practice exchange in the background, and shows how they went."""

    def __init__(self, control: PracticeControl, store: Store, supervisor: Supervisor) -> None:
        self.control = control
        self._store = store
        self._supervisor = supervisor

    def inject_fault(self, fault: PracticeFault, ticker: str) -> None:
        """Have the exchange make a fault, in this market if it is a market's; a notice says how it went."""
        self._supervisor.spawn(self._inject_fault(fault, ticker), "rehearsal")

    def control_replay(self, action: str, values: ControlValues) -> None:
        """Pause, move or speed up the recording; only what fails is shown."""
        self._supervisor.spawn(self._control_replay(action, values), "replay")

    async def close(self) -> None:
        """Close the connection."""
        await self.control.close()

    async def _inject_fault(self, fault: PracticeFault, ticker: str) -> None:
        values = {**fault.values, **({"ticker": ticker} if fault.needs_market else {})}
        where = f" ({ticker})" if fault.needs_market else ""
        try:
            await self.control.inject_fault(fault.action, values)
        except KalshiError as error:
            self._store.notify(Severity.ERROR, f"Rehearsal failed: {fault.label}{where}. {error}")
        else:
            self._store.notify(Severity.WARNING, f"Rehearsal: {fault.label}{where}. {fault.help}")

    async def _control_replay(self, action: str, values: ControlValues) -> None:
        try:
            await self.control.control_replay(action, values)
        except KalshiError as error:
            self._store.notify(Severity.ERROR, f"The replay did not do that: {error}")
