"""What a search over candidates finds: points of paths, and how candidates compare."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.model import CompletionModel
from lowrankflow.dynamics import PathCertificate


@dataclass(frozen=True, kw_only=True, eq=False)
class PathPoint:
    """A model on the way of a candidate.

    Args:
        rank: of the low-rank part.
        setting: what else distinguishes it: penalty, time, ...
        training_error: root mean square over the entries fitted to.
        held_out_error: the same over the entries that candidates are compared on; NaN
            when none are kept aside.
        certificate: whether another direction would have helped; None where the
            method has none.
        seconds: from the beginning of the path.
    """

    rank: int
    setting: dict[str, Any]
    training_error: float
    held_out_error: float
    certificate: PathCertificate | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateResult:
    """A candidate at its best, and its path.

    Args:
        method: "effects", "greedy path", "flow", "soft-impute" or "als".
        setting: with which it did best: effects, penalty, depth, time, ...
        rank: of that model.
        training_error: root mean square over what it was fitted to.
        held_out_error: over the entries kept aside to choose.
        difference: held-out mean square less the winner's.
        difference_error: standard error of that, paired over the entries.
        seconds: of the whole path.
        path: its points.
        model: the best one; not fitted to what was kept aside.
        residuals: of the entries kept aside.
    """

    method: str
    setting: dict[str, Any]
    rank: int
    training_error: float
    held_out_error: float
    seconds: float
    path: tuple[PathPoint, ...]
    model: CompletionModel = field(repr=False)
    residuals: Float[np.ndarray, " k"] = field(repr=False)
    difference: float = 0.0
    difference_error: float = 0.0

    @property
    def sentence(self) -> str:
        """Method, setting, errors, in a line."""
        said = ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in self.setting.items()
            if name != "parts"
        )
        return (
            f"{self.method} ({said}): rank {self.rank}, held-out error "
            f"{self.held_out_error:.5g}, {self.seconds:.1f} s"
        )


@dataclass(frozen=True, kw_only=True)
class Validation:
    """How the choice was made.

    Args:
        scheme: how entries were kept aside.
        fraction: the share that was asked for.
        num_selection: entries that candidates were compared on.
        num_calibration: entries that intervals are calibrated on.
        held_out_error: root mean square of the winner over the former.
        calibration_error: the same over the latter, which no choice was made by; NaN
            when there are none.
        effects_error: that of row and column effects alone, over the former.
        mean_error: that of one number for all, over the former.
        skipped: what was not tried, and why.
    """

    scheme: str
    fraction: float
    num_selection: int
    num_calibration: int
    held_out_error: float
    calibration_error: float
    effects_error: float
    mean_error: float
    skipped: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchProgress:
    """How far a search is.

    Args:
        done: 0 to 1, by expected work.
        seconds: since the beginning.
        left: seconds expected until the end; None before there is a guess.
        message: what is being done.
        best: the best candidate so far; None before there is one.
    """

    done: float
    seconds: float
    left: float | None
    message: str
    best: CandidateResult | None
