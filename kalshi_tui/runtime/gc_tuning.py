"""How often Python looks for garbage: while it looks, no key is answered.

The screen makes many small objects and lets most of them go within a frame or two. So the youngest are looked through
often, a few at a time. What is there for good, the program itself and the list of markets, is looked through no more:
a look at all of it takes a tenth of a second.
"""

import gc
from typing import Final

GC_THRESHOLDS: Final = (1_000, 5, 400)
"""New objects more than gone ones until the youngest are looked through, and how many times of a generation until the
next older one is. Measured with 20,000 messages a second: the longest pause is a tenth of what 50,000 gave."""


def configure_gc() -> None:
    """Set the thresholds, and take all that has been loaded out of the looks; call it before the screen opens."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()


def freeze_objects() -> None:
    """Take what is there now out of the looks; call it when much has come that will stay."""
    gc.freeze()
