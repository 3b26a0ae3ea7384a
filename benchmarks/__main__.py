"""Run all benchmarks: `make bench`."""

import argparse
from collections.abc import Callable, Sequence

import benchmarks.feed
import benchmarks.filter
import benchmarks.market
import benchmarks.practice
from benchmarks.measure import Figure, machine
from benchmarks.practice import Load

BENCHMARKS: dict[str, Callable[[], Sequence[Figure | Load]]] = {
    "feed": benchmarks.feed.run,
    "filter": benchmarks.filter.run,
    "market": benchmarks.market.run,
    "practice": benchmarks.practice.run,
}


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(BENCHMARKS)}")
    options = parser.parse_args()
    print(machine())
    for name in options.names or BENCHMARKS:
        for figure in BENCHMARKS[name]():
            print(figure.line())


if __name__ == "__main__":
    main()
