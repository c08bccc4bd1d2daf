"""What a run leaves: the last matrix, why it ended, and the trajectory."""

import dataclasses
import json
from typing import Any

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics import Snapshot
from lowrankflow.problems import Factored
from lowrankflow.result import Result
from lowrankflow.simulation.records import Record
from lowrankflow.version import __version__


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run.

    Args:
        snapshot: the last state, as it can be seen.
        records: what was recorded, in order of time.
        state: the dynamics' last state.
        settings: what was run, in words, for the dataset's attributes.
    """

    snapshot: Snapshot
    records: tuple[Record, ...]
    state: Any
    settings: dict[str, Any]

    @property
    def matrix(self) -> Float[np.ndarray, "rows cols"] | Factored:
        """The last end-to-end matrix; `Factored` where it was never formed."""
        return self.snapshot.matrix

    @property
    def factors(self) -> tuple[np.ndarray, ...]:
        """The last factors, the first acting first; empty for a flow of W alone."""
        return self.snapshot.factors

    @property
    def result(self) -> Result:
        """Why the run ended; `str` of it is a sentence."""
        return self.snapshot.result

    @property
    def dataset(self):
        """The trajectory, an `xarray.Dataset`.

        Dimension `record` with coordinates `time` and `iteration`; dimension `sv` for
        `singular_values`, descending; one variable for every number recorded.
        """
        # xarray takes half a second to import, a quarter of a short run's whole time.
        import xarray

        names = self.records[0].keys()
        columns = {name: np.stack([r[name] for r in self.records]) for name in names}
        variables = {
            name: (("record", "sv") if column.ndim == 2 else ("record",), column)
            for name, column in columns.items()
        }
        coordinates = {name: variables.pop(name) for name in ("time", "iteration")}
        attributes = {
            **self.settings,
            "result": self.result.name,
            "result_sentence": str(self.result),
            "dtype": str(_dtype(self.matrix)),
            "lowrankflow_version": __version__,
        }
        text = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in attributes.items()
        }
        return xarray.Dataset(variables, coordinates, text)

    def __str__(self) -> str:
        last = self.snapshot
        return (
            f"{self.result} time {last.time:.6g}, iteration {last.iteration}, "
            f"loss {last.loss:.6g}"
        )


def _dtype(matrix: np.ndarray | Factored) -> np.dtype:
    return (
        np.asarray(matrix.left).dtype if isinstance(matrix, Factored) else matrix.dtype
    )
