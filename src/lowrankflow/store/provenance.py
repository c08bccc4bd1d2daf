"""On what a result was made: versions, machine, threads, time and memory."""

import contextlib
import os
import platform
import resource
import sys
import time
from pathlib import Path

import jax
import numpy as np

from lowrankflow.version import __version__


def versions() -> dict[str, str]:
    """Of this library and of what makes its numbers."""
    return {
        "lowrankflow": __version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def machine() -> dict[str, str | int]:
    """What kind of machine this is; not which one."""
    return {
        "platform": platform.platform(),
        "cpu_count": os.cpu_count() or 0,
        "device": jax.default_backend(),
        "threads": num_threads(),
    }


def num_threads() -> int:
    """How many threads compiled code may use here.

    Large matrix products are divided among them, which decides their last bits.
    """
    asked = os.environ.get("NPROC", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment() -> dict[str, str | int]:
    """All of the above that may change the last bits of a result.

    A checkpoint is continued only where it was made in an equal environment.
    """
    kind = {name: machine()[name] for name in ("device", "threads")}
    return {**versions(), **kind, "processor": platform.machine()}


class Stopwatch:
    """Wall time and peak memory of a piece of work, over all its interruptions."""

    def __init__(self):
        self._before, self._peak = 0.0, 0
        self._start = time.monotonic()
        # Linux counts the peak from here on, if it is asked to; without it the peak is
        # that of the process since it began.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def go_on(self, seconds: float, peak: int) -> None:
        """Count what earlier attempts have taken: wall time, and most bytes held."""
        self._before, self._peak = seconds, peak

    def seconds(self) -> float:
        """Wall time so far."""
        return self._before + time.monotonic() - self._start

    def peak(self) -> int:
        """The most bytes of memory held so far."""
        return max(self._peak, _peak_memory())


def _peak_memory() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/self/status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
