"""How a method runs in a process of its own: draws come, and answers go, as files.

Nothing here needs more than NumPy, so that it runs in any environment.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Seen:
    """What a method is given: see `data.Draw`."""

    shape: tuple[int, int]
    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray
    aside: np.ndarray
    test_rows: np.ndarray
    test_cols: np.ndarray
    bounds: tuple[float, float]

    def entries(self, chosen: np.ndarray | None = None):
        """(rows, cols, values) of all entries seen, or of some."""
        if chosen is None:
            return self.rows, self.cols, self.values
        return self.rows[chosen], self.cols[chosen], self.values[chosen]

    def error_aside(self, at: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
        """Root-mean-square error on the tenth to tune by."""
        rows, cols, values = self.entries(self.aside)
        found = np.clip(at(rows, cols), *self.bounds)
        return float(np.sqrt(np.mean((found - values) ** 2)))


Method = Callable[[Seen], tuple[np.ndarray, dict[str, object]]]


def read(file: str) -> Seen:
    """A draw, as it was saved."""
    with np.load(file) as held:
        return Seen(
            shape=tuple(int(size) for size in held["shape"]),
            bounds=tuple(float(bound) for bound in held["bounds"]),
            **{
                name: held[name]
                for name in (
                    "rows",
                    "cols",
                    "values",
                    "aside",
                    "test_rows",
                    "test_cols",
                )
            },
        )


def peak() -> float:
    """The most memory this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what a parent had counts in `ru_maxrss`, and not here
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(methods: dict[str, Method]) -> None:
    """Answer the draws named on the command line, after the method's name."""
    method = methods[sys.argv[1]]
    for file in sys.argv[2:]:
        seen = read(file)
        before, begun, cpu = peak(), time.perf_counter(), time.process_time()
        predicted, chosen = method(seen)
        row = {
            "file": file,
            "seconds": time.perf_counter() - begun,
            "processor": time.process_time() - cpu,
            "before": before,
            "peak": peak(),
            "chosen": chosen,
        }
        np.save(file.removesuffix(".npz") + ".npy", predicted)
        print("\n" + json.dumps(row), flush=True)


def tuned(seen: Seen, settings, fit) -> tuple[np.ndarray, dict[str, object]]:
    """The setting with the least error on the tenth aside, fitted again to all.

    Args:
        seen: the draw.
        settings: to be tried.
        fit: (shape, entries, setting) to a function of rows and columns.
    """
    settings = list(settings)
    errors = []
    for setting in settings if len(settings) > 1 else ():
        at = fit(seen.shape, seen.entries(~seen.aside), setting)
        errors.append(seen.error_aside(at))
    best = int(np.nanargmin(errors)) if errors else 0
    at = fit(seen.shape, seen.entries(), settings[best])
    chosen = {**settings[best], "tried": len(settings)}
    if errors:
        chosen["aside"] = errors[best]
    return at(seen.test_rows, seen.test_cols), chosen
