"""What the scripts here have in common: one line of JSON for each that comes in, until standard input ends."""

import json
import sys


def jobs():
    """The jobs, first the setting."""
    for line in sys.stdin:
        yield json.loads(line)


def say(answer):
    print(json.dumps(answer), flush=True)
