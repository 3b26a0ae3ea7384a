"""What takes the trust from a book, and how it comes back, against the real practice exchange."""

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.session.market_data.audit import describe_first_difference
from kalshi_tui.session.session import Session
from tests.support.real_session import a_two_sided_market
from tests.support.waiting import until


def said(session: Session, words: str) -> bool:
    return any(words in notice.text for notice in session.store.notices)


async def test_an_audit_of_a_right_book_says_so(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    for _ in range(5):
        session.store.notices.clear()
        session.start_audit(ticker)
        await until(lambda: said(session, "Audit of"))
        assert said(session, "equal to the exchange's book")
    assert session.link_metrics().faults == 0


async def test_an_audit_finds_a_level_that_is_not_there_and_the_book_heals(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    session.store.books[ticker].book.apply(Side.YES, 10, 123)
    session.start_audit(ticker)
    await until(lambda: said(session, "the book differs. YES bid 0.0010: 1.23 here, 0 at the exchange."))
    await until(lambda: session.store.book(ticker).is_good and session.store.book(ticker).book.yes.count_at(10) == 0)
    assert session.link_metrics().faults == 1


async def test_an_audit_without_a_trusted_book_says_so(session: Session) -> None:
    session.start_audit("NO-SUCH-MARKET")
    await until(lambda: said(session, "no trusted book"))
    assert session.link_metrics().faults == 0


async def test_a_book_that_stays_crossed_is_not_believed(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    book = session.store.books[ticker].book

    def is_told() -> bool:
        # A snapshot that was asked for to compare it with a quote (`kalshi/feed/book_reading.py`) mends it too.
        if not book.crossed and not said(session, "stays crossed"):
            book.apply(Side.YES, 9_990, 100)
            assert book.crossed
        return said(session, "stays crossed")

    await until(is_told)
    await until(lambda: session.store.book(ticker).is_good and not session.store.book(ticker).book.crossed)


async def test_the_pulse_is_that_of_the_stream(session: Session) -> None:
    await a_two_sided_market(session)
    await until(lambda: session.link_metrics().lag_ms is not None)
    pulse = session.link_metrics()
    assert pulse.frame_age_ms is not None
    assert 0 <= pulse.frame_age_ms < 5_000
    assert (pulse.skew_ms, pulse.faults, pulse.untrusted) == (0, 0, 0)


def test_the_first_difference_is_the_best_level() -> None:
    ours, theirs = Book(), Book()
    ours.snapshot([(4_000, 100), (4_700, 200)], [(5_000, 100)])
    theirs.snapshot([(4_000, 300), (4_700, 200)], [(5_100, 100)])
    assert describe_first_difference(ours, theirs) == "YES bid 0.40: 1 here, 3 at the exchange."
    assert describe_first_difference(ours, ours) == ""
    theirs.snapshot([(4_000, 100), (4_700, 200)], [(5_100, 100)])
    assert describe_first_difference(ours, theirs) == "NO bid 0.51: 0 here, 1 at the exchange."
