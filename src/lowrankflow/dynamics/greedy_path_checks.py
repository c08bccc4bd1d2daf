"""What a greedy path refuses, before anything is computed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lowrankflow.dynamics.greedy import GreedyLowRank
from lowrankflow.dynamics.thin_objective import observes_entries
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import positive, positive_int
from lowrankflow.problems import (
    SensingProblem,
    Squared,
    checked_problem,
    described,
    real_number,
)

_NAME = "greedy_low_rank_path"
_FINEST_SINGLE = 1e-5
_INNER = ("newton", "als", "flow")


@dataclass(frozen=True, kw_only=True)
class PathSettings:
    """The numbers of a path, checked.

    Args:
        max_rank: no larger than the smaller side of the matrix.
        rtol: of a phase.
        tolerance: of the certificate.
        patience: ranks; None for no stop by held-out error.
        dtype: "float64" or "float32".
    """

    max_rank: int
    rtol: float
    tolerance: float
    patience: int | None
    dtype: str


def checked_settings(
    problem: SensingProblem,
    *,
    max_rank: int,
    rtol: float,
    psd: bool,
    inner: object,
    penalty: float,
    optimality_tolerance: float | None,
    patience: int | None,
    dtype: str,
    callback: Callable[..., object] | None,
    name: str = _NAME,
) -> PathSettings:
    """The settings, when they fit the problem and one another.

    Raises:
        SpecError: when they do not.
    """
    checked_problem(f"{name}(problem)", problem)
    positive_int(f"{name}(max_rank)", max_rank)
    positive(f"{name}(rtol)", rtol)
    if optimality_tolerance is not None:
        positive(f"{name}(optimality_tolerance)", optimality_tolerance)
    if patience is not None:
        positive_int(f"{name}(patience)", patience)
    if callback is not None and not callable(callback):
        raise SpecError(
            where=f"{name}(callback)",
            rule="this is a function of one PathStep",
            got=described(callback),
            fix="Give for example callback=lambda step: print(step.rank, step.loss)",
        )
    if not isinstance(psd, bool):
        raise SpecError(
            where=f"{name}(psd)",
            rule="this is True for W = U U' and False elsewhere",
            got=f"{psd!r}"[:200],
            fix="Give psd=True or leave it out",
        )
    rows, cols = problem.shape
    if psd and rows != cols:
        raise SpecError(
            where=f"{name}(psd)",
            rule="a positive semidefinite matrix is square",
            got=f"a problem of shape {problem.shape}",
            fix="Leave psd out, or lift the problem: lift(problem)",
        )
    if not (isinstance(inner, GreedyLowRank) or (inner in _INNER)):
        raise SpecError(
            where=f"{name}(inner)",
            rule=f"this is one of {', '.join(map(repr, _INNER))}, or a GreedyLowRank",
            got=f"{inner!r}"[:200],
            fix="Leave it out for Newton's method",
        )
    size = real_number(penalty)
    if not 0 <= size < np.inf:
        raise SpecError(
            where=f"{name}(penalty)",
            rule="the weight of the nuclear norm is a number >= 0",
            got=f"{penalty!r}"[:200],
            fix="Give for example penalty=1.0, or leave it out",
        )
    if isinstance(inner, str) and inner != "flow":
        _check_thin(name, problem, psd, inner)
    elif size > 0:
        raise SpecError(
            where=f"{name}(penalty)",
            rule="the flow follows the plain loss",
            got=f"penalty={size:g} with the flow",
            fix='Use inner="newton", or leave the penalty out',
        )
    _check_dtype(name, dtype, float(rtol), inner)
    rtol = float(rtol)
    tolerance = 10 * rtol if optimality_tolerance is None else optimality_tolerance
    return PathSettings(
        max_rank=min(int(max_rank), rows, cols),
        rtol=rtol,
        tolerance=float(tolerance),
        patience=None if patience is None else int(patience),
        dtype=dtype,
    )


def check_patience(problem: SensingProblem) -> None:
    """Nothing, when something is held out by which a path can be stopped.

    Raises:
        SpecError: when nothing is.
    """
    if problem.held_out is None:
        raise SpecError(
            where=f"{_NAME}(patience)",
            rule="a path is stopped early by its error on what is held out",
            got="a problem that holds nothing out",
            fix="Give for example held_out=0.1, or leave patience out",
        )


def _check_dtype(name: str, dtype: object, rtol: float, inner: object) -> None:
    if dtype not in ("float64", "float32"):
        raise SpecError(
            where=f"{name}(dtype)",
            rule='the arithmetic is in "float64" or in "float32"',
            got=f"{dtype!r}"[:200],
            fix='Leave it out for "float64"',
        )
    if dtype == "float64":
        return
    if not isinstance(inner, str) or inner == "flow":
        raise SpecError(
            where=f"{name}(dtype)",
            rule="the flow is computed in float64",
            got='dtype="float32" with the flow',
            fix='Use inner="newton" or inner="als", or leave dtype out',
        )
    if rtol < _FINEST_SINGLE:
        raise SpecError(
            where=f"{name}(rtol)",
            rule=f"float32 resolves a phase to {_FINEST_SINGLE:g}",
            got=f"rtol={rtol:g} with float32",
            fix='Give a larger rtol, or dtype="float64"',
        )


def _check_thin(name: str, problem: SensingProblem, psd: bool, inner: str) -> None:
    if not observes_entries(problem, symmetric=psd):
        raise SpecError(
            where=f"{name}(inner)",
            rule=f"{inner!r} is for observed entries, an EntrySampling or "
            "WeightedEntrySampling (with psd=True also a SymmetricEntrySampling)",
            got=described(problem.operator),
            fix='Use inner="flow"',
        )
    if not isinstance(problem.loss, Squared):
        raise SpecError(
            where=f"{name}(inner)",
            rule=f"{inner!r} is for the squared loss",
            got=f"{problem.loss!r}"[:200],
            fix='Use inner="flow", or leave the loss of the problem out',
        )
    if psd and inner == "als":
        raise SpecError(
            where=f"{name}(inner)",
            rule="alternating needs two factors, and U U' has one",
            got="psd=True",
            fix='Use inner="newton"',
        )
