import hashlib
import os
import subprocess
import sys

from kalshi_tui.practice.simulation.world import World
from tests.support.engine import NOON, Clock

SCRIPT = """
import hashlib
from kalshi_tui.practice.simulation.world import World
now = [{start}]
world = World(lambda: now[0], {seed}, markets=60, rate=2000)
world.start()
digest = hashlib.sha256()
for _ in range(100):
    now[0] += 20
    world.step()
    for event in world.exchange.drain_events():
        digest.update(repr(event).encode())
print(digest.hexdigest())
"""


def run(seed: int, hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(start=NOON, seed=seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_same_seed_and_clock_give_the_same_events_in_any_process() -> None:
    assert run(7, "1") == run(7, "2")


def test_another_seed_gives_another_world() -> None:
    assert run(7, "1") != run(8, "1")


def test_the_flow_does_not_depend_on_how_often_it_is_stepped() -> None:
    def digest(step_ms: int) -> str:
        clock = Clock()
        world = World(clock, 3, markets=40, rate=1_000)
        world.start()
        found = hashlib.sha256()
        for _ in range(2_000 // step_ms):
            clock.pass_(step_ms)
            world.step()
            for event in world.exchange.drain_events():
                found.update(repr(event).encode())
        return found.hexdigest()

    assert digest(10) == digest(50)
