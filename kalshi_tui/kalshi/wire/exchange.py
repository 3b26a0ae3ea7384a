"""REST replies about the exchange itself: its status, its schedule, and how far the account's data reach."""

from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi.wire.common import NullableText, OptionalFlag, WireLeaf, WireObject


class ExchangeIndexStatus(WireLeaf, frozen=True, kw_only=True):
    """The state of one shard."""

    exchange_index: int
    description: str = ""
    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool = False


class ExchangeStatusReply(WireObject, frozen=True, kw_only=True):
    """``GET /exchange/status``."""

    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: OptionalFlag = UNSET
    exchange_estimated_resume_time: NullableText = UNSET
    exchange_index_statuses: list[ExchangeIndexStatus] | UnsetType | None = UNSET


class DailySchedule(WireLeaf, frozen=True, kw_only=True):
    """Trading hours of one day, Eastern time, ``HH:MM``."""

    open_time: str
    close_time: str


class WeeklySchedule(WireObject, frozen=True, kw_only=True):
    """The hours of each day of a week, and between which days they hold."""

    start_time: str
    end_time: str
    monday: list[DailySchedule]
    tuesday: list[DailySchedule]
    wednesday: list[DailySchedule]
    thursday: list[DailySchedule]
    friday: list[DailySchedule]
    saturday: list[DailySchedule]
    sunday: list[DailySchedule]


class MaintenanceWindow(WireLeaf, frozen=True, kw_only=True):
    """A planned pause."""

    start_datetime: str
    end_datetime: str


class Schedule(WireObject, frozen=True, kw_only=True):
    """Trading hours and planned pauses."""

    standard_hours: list[WeeklySchedule]
    maintenance_windows: list[MaintenanceWindow]


class ScheduleReply(WireObject, frozen=True, kw_only=True):
    """``GET /exchange/schedule``."""

    schedule: Schedule


class AnnouncedPauses(WireObject, frozen=True, kw_only=True):
    """Of a schedule the planned pauses alone: hours that cannot be read must not cost them."""

    maintenance_windows: list[MaintenanceWindow] | UnsetType | None = UNSET


class AnnouncedPausesReply(WireObject, frozen=True, kw_only=True):
    """``GET /exchange/schedule``, as far as it is needed here."""

    schedule: AnnouncedPauses


class UserDataTimestampReply(WireLeaf, frozen=True, kw_only=True):
    """``GET /exchange/user_data_timestamp``: up to when the account's data reach."""

    as_of_time: str
