"""``python -m tests.audit``: audit every figure of the desk and of the commands, and print the counts."""

import argparse
import sys
import time
from functools import partial

from tests.audit import scripts
from tests.audit.run import Script, audit

TIME_ZONES = ("UTC", "Asia/Tokyo")
SCRIPTS: dict[str, Script] = {
    "short": scripts.short,
    "prices": scripts.prices,
    "through zero": scripts.through_zero,
    "settled": scripts.settled,
    "nights": scripts.nights,
    "late": scripts.late,
}


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the scripts that are named, or all; 1 if a figure was not right."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__)
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=f"of {', '.join(SCRIPTS)} random and busy")
    parser.add_argument("--random", type=int, default=3, metavar="N", help="how many random histories (default: 3)")
    parser.add_argument("--steps", type=int, default=60, metavar="N", help="steps of each of them (default: 60)")
    options = parser.parse_args()
    chosen = {name: script for name, script in SCRIPTS.items() if not options.scripts or name in options.scripts}
    if not options.scripts or "random" in options.scripts:
        for seed in range(options.random):
            chosen[f"random {seed}"] = partial(scripts.random_history, seed=seed, steps=options.steps)
    crowded: dict[str, Script] = {}
    if not options.scripts or "busy" in options.scripts:
        crowded["busy"] = partial(scripts.busy, seed=1, steps=options.steps)
    began = time.monotonic()
    tally = audit(chosen, time_zones=TIME_ZONES, every=2, say=say)
    audit(crowded, time_zones=TIME_ZONES, every=2, quiet=False, say=say, tally=tally)
    say("\n".join(tally.lines()))
    say(f"{time.monotonic() - began:.0f} s")
    return 1 if tally.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
