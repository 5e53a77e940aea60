"""How much of a sweep is run: some points spread over all, or all where TESSERA_SWEEP_ALL is set."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

ALL = bool(os.environ.get("TESSERA_SWEEP_ALL"))


def sample(points: Sequence[int], wanted: int) -> list[int]:
    """Of many points some, spread over all and the same in each run."""
    if ALL or len(points) <= wanted:
        return list(points)
    choice = random.Random(7)
    return [choice.choice(points[len(points) * part // wanted:len(points) * (part + 1) // wanted])
            for part in range(wanted)]
