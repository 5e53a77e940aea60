"""How much work something is, counted in calls of functions: the same on any machine, however busy."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any


def calls(work: Callable[[], Any]) -> int:
    """The calls of Python and C functions that `work` makes in this thread; an error of its own goes on."""
    count, thread = 0, threading.get_ident()

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        if event in ("call", "c_call") and threading.get_ident() == thread:
            count += 1
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
