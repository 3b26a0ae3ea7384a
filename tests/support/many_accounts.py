"""Runs one command after another in one process: reads lists of arguments, answers what came of each.

Starting Python and loading libraries is most of what a short command costs; where many are looked at it is done once.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence

from kalshi_tui.__main__ import main


def ran(arguments: Sequence[str]) -> dict[str, object]:
    """Run one command with its own standard output and error."""
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            code = main(arguments)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for place, descriptor in enumerate(kept, 1):
                os.dup2(descriptor, place)
                os.close(descriptor)
        written = []
        for file in (out, err):
            file.seek(0)
            written.append(file.read().decode())
    return {"code": code, "out": written[0], "err": written[1]}


if __name__ == "__main__":
    for line in sys.stdin:
        answer = json.dumps(ran(json.loads(line)))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
