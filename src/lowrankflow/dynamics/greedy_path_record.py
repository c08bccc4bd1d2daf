"""What a greedy path is: a solution for every rank, and what is known of each."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.problems import Effects, Factored, HeldOut
from lowrankflow.result import Result


@dataclass(frozen=True, kw_only=True)
class PathCertificate:
    r"""Whether another direction would help, and what that proves.

    With the gradient G of f at W, the rate is lambda_1(-G) where W = U U' and
    sigma_1(G) elsewhere: how fast a new direction grows from nothing. A direction helps
    when its rate exceeds the penalty. Where none does, W is a minimizer of the convex
    f(X) + penalty ||X||_* over all matrices of the kind, whatever their rank.

    `gap` bounds what is left when one would help: for convex f,
    f(X) >= f(W) + <G, X - W>, hence no X with ||X||_* <= ||W||_* has a value below that
    at W by more than <G, W> + max(rate + slack, penalty) ||W||_*; and no X at all, if
    the rate is at most the penalty. Without penalty it says nothing of X with a larger
    nuclear norm (trace), and for a rectangle, whose rate is zero only where every
    measurement is met, it is no proof of low rank either.

    Args:
        rate: of the best direction; found by iteration, from below.
        slack: by how much the best rate may exceed it, as far as the iteration shows;
            the gap and the verdict allow for it.
        relative_rate: the same relative to the rate at zero.
        penalty: of the nuclear norm; 0 for the plain loss.
        gap: as above, >= 0 but for rounding; in units of f.
        psd: whether W = U U'.
        is_optimal: whether the rate exceeds the penalty by no more than the tolerance
            asked for, relative to the rate at zero.
    """

    rate: float
    slack: float
    relative_rate: float
    penalty: float
    gap: float
    psd: bool
    is_optimal: bool

    def __str__(self) -> str:
        kind = "p.s.d. matrix" if self.psd else "matrix"
        if not self.is_optimal:
            return (
                f"Another direction helps: it grows at {self.relative_rate:.1e} of the "
                f"first one's rate. No {kind} of no larger nuclear norm is better by "
                f"more than {self.gap:.1e}."
            )
        if self.penalty > 0 or self.psd:
            return (
                f"Optimal over every {kind}: no direction grows at more than "
                f"{self.relative_rate:.1e} of the first one's rate."
            )
        return (
            "Every measurement is met as far as asked, which any rank large enough "
            f"does: the largest rate left is {self.relative_rate:.1e} of the first."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PathStep:
    """One rank of a path.

    Args:
        rank: how many directions have been let in; 0 is the zero matrix.
        matrix: the solution, left diag(values) right' with orthonormal columns.
        loss: f of the problem there, without the penalty.
        held_out_error: root-mean-square error on the held-out measurements; NaN
            without any.
        certificate: whether another direction would help.
        gradient: norm of the gradient in the factors, relative to the first rate and
            the factors' size; how near a critical point the phase ended.
        converged: whether that is what was asked for, or as far as rounding resolves.
        seconds: from the beginning of the path.
    """

    rank: int
    matrix: Factored
    loss: float
    held_out_error: float
    certificate: PathCertificate
    gradient: float
    converged: bool
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class GreedyPath:
    """The critical points that greedy low-rank learning visits, rank by rank.

    Args:
        steps: one for each rank, from 0 on.
        result: why the path ended.
        effects: row and column effects that were subtracted first; None without.
        held_out: what the errors were measured on; None without.
    """

    steps: tuple[PathStep, ...]
    result: Result
    effects: Effects | None
    held_out: HeldOut | None

    @property
    def ranks(self) -> tuple[int, ...]:
        """0, 1, 2, ... as far as the path went."""
        return tuple(step.rank for step in self.steps)

    @property
    def losses(self) -> Float[np.ndarray, " ranks"]:
        """The loss at every rank."""
        return np.array([step.loss for step in self.steps])

    @property
    def held_out_errors(self) -> Float[np.ndarray, " ranks"]:
        """The root-mean-square error on what was held out, NaN without."""
        return np.array([step.held_out_error for step in self.steps])

    @property
    def rates(self) -> Float[np.ndarray, " ranks"]:
        """The rate of the next direction at every rank."""
        return np.array([step.certificate.rate for step in self.steps])

    @property
    def certificates(self) -> tuple[PathCertificate, ...]:
        """Whether another direction would help, at every rank."""
        return tuple(step.certificate for step in self.steps)

    @property
    def best(self) -> int:
        """The rank of least held-out error; the last rank where nothing is held out."""
        errors = self.held_out_errors
        return self.ranks[-1 if np.isnan(errors).all() else int(np.nanargmin(errors))]

    def matrix(self, rank: int | None = None) -> Factored:
        """The solution of a rank, without effects; of the best rank if none is given.

        Raises:
            SpecError: when the path has no such rank.
        """
        rank = self.best if rank is None else rank
        if isinstance(rank, bool) or rank not in self.ranks:
            raise SpecError(
                where="GreedyPath.matrix(rank)",
                rule=f"this path has the ranks 0 to {self.ranks[-1]}",
                got=f"{rank!r}"[:200],
                fix=f"Give one of them, for example path.matrix({self.best})",
            )
        return self.steps[int(rank)].matrix

    def predict(
        self, rows: np.ndarray, cols: np.ndarray, *, rank: int | None = None
    ) -> Float[np.ndarray, " n"]:
        """Entries of the solution, effects included.

        Args:
            rows: 0-based row of each entry.
            cols: 0-based column.
            rank: which solution; the best without it.

        Raises:
            SpecError: when the path has no such rank.
        """
        rows, cols = np.asarray(rows), np.asarray(cols)
        found = np.asarray(self.matrix(rank).entries(rows, cols))
        return found if self.effects is None else found + self.effects.at(rows, cols)

    def __str__(self) -> str:
        lines = ["rank        loss   held out   next rate  optimal"]
        first = self.steps[0].certificate.rate or 1.0
        best = self.best if self.held_out is not None else None
        for step in self.steps:
            error = (
                "" if np.isnan(step.held_out_error) else f"{step.held_out_error:.4g}"
            )
            relative = step.certificate.rate / first
            loss = f"{step.loss:10.4g}"
            said = "yes" if step.certificate.is_optimal else "no"
            said += "  <- best" if step.rank == best else ""
            lines.append(f"{step.rank:4d}  {loss} {error:>10} {relative:11.2e}  {said}")
        return "\n".join([*lines, str(self.result)])
