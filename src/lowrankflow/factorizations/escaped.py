"""Starts below the smallest number: where the flow from them arrives."""

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.factorizations.factorization import AbstractFactorization
from lowrankflow.factorizations.start import AbstractStart, HostFactors
from lowrankflow.factorizations.symmetric import SymmetricFactorization
from lowrankflow.problems import AbstractObjective, real_number, to_dense

# W has grown to the square of this: grad f is its value at zero to rounding.
_ARRIVAL = 1e-10
# The squares of a unit of this size are numbers still, by which a flow measures it.
_SMALLEST = 1e-150
# A unit that shrinks from here on may soon not be one: it is left out.
_VANISHED = 1e-130


class Escaped(AbstractStart):
    r"""Where the flow from 10^log10_factor W_0 arrives by its linear phase.

    Near zero grad f is constant, and the factors of depth 2 or U U' obey Z' = H Z with
    Z = U or [W_2; W_1']: each eigenvector of H grows by exp(mu_i t). Their logarithms
    are numbers where the factors of W(0) are below 1e-308, so that scales such as
    1e-3000 can be asked for. Time zero of a run is the arrival, at a W of norm 1e-20;
    `elapsed` is what has passed before it. Hidden units come graded: unit j carries the
    j-th fastest direction and those after it.

    Directions that shrink vanish on the way: a unit of theirs is left out below 1e-130.
    One that grows may not: its unit must arrive with a size of 1e-150 at least.

    Args:
        start: of W_0, whose own scale counts too.
        log10_factor: logarithm of the factor to base 10; finite, and so low that the
            arrival is later than the start.

    Raises:
        SpecError: when the first is no start or the logarithm not finite; when factors
            are asked for, when the product has not two factors, nothing grows, W is not
            that small, or a growing direction vanishes.

    Exactness: within rounding, as long as grad f changes in proportion to W.
    Cost: one eigendecomposition of size rows (U U') or rows + cols.
    Source: li2021, section 4 (the linearization at zero).
    Differs: as in the source, in logarithms.
    """

    start: AbstractStart
    log10_factor: float

    def __check_init__(self):
        if not isinstance(self.start, AbstractStart):
            raise SpecError(
                where="Escaped(start)",
                rule="W_0 is given by a start",
                got=f"{self.start!r}"[:200],
                fix="Give for example Identity(init_scale=1.0)",
            )
        if not np.isfinite(real_number(self.log10_factor)):
            raise SpecError(
                where="Escaped(log10_factor)",
                rule="this is a finite number",
                got=f"{self.log10_factor!r}",
                fix="Give for example -1000.0",
            )

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        rates, basis, triangle = self._phase(problem, factorization, seed)
        time = self._arrival(rates, triangle)
        with np.errstate(under="ignore"):
            # One exponential: neither of its parts is a number alone.
            growth = np.exp(rates * time + self._half_log())
            units = growth[:, None] * triangle
        sizes = np.abs(units).max(axis=0)
        is_growing = rates[: sizes.size] > 0
        units[:, ~is_growing & (sizes < _VANISHED)] = 0.0
        graded, growing = basis @ units, sizes[is_growing]
        if growing.min() < _SMALLEST:
            raise SpecError(
                where="Escaped(log10_factor)",
                rule="every direction that grows arrives with a size of at least "
                f"{_SMALLEST:g} in the factors",
                got=f"{growing.min():.3g} from a factor 10^{self.log10_factor:g}",
                fix="Give a larger log10_factor",
            )
        shapes = factorization.shapes(problem.shape)
        if isinstance(factorization, SymmetricFactorization):
            return (_widened(graded, shapes[0][1]),)
        rows, stacked = problem.shape[0], _widened(graded, shapes[0][0])
        return stacked[rows:].T.copy(), stacked[:rows].copy()

    def elapsed(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> float:
        """Flow time from W(0) to the arrival.

        Raises:
            SpecError: as for the factors.
        """
        rates, _, triangle = self._phase(problem, factorization, seed)
        return self._arrival(rates, triangle)

    def _half_log(self) -> float:
        return float(self.log10_factor) * np.log(10) / 2

    def _phase(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        seed: int,
    ) -> tuple[
        Float[np.ndarray, " size"],
        Float[np.ndarray, "size size"],
        Float[np.ndarray, "size units"],
    ]:
        """Rates, descending; their eigenvectors; lower triangular coordinates of Z."""
        if factorization.num_factors_in_product != 2:
            raise SpecError(
                where="Escaped",
                rule="the flow near zero is linear for a product of two factors",
                got=f"{factorization!r}",
                fix="Use SymmetricFactorization() or DeepFactorization(depth=2)",
            )
        factors = self.start.factors(problem, factorization, seed=seed)
        pull = -np.asarray(to_dense(problem.gradient(np.zeros(problem.shape))))
        if isinstance(factorization, SymmetricFactorization):
            stacked, matrix = factors[0], (pull + pull.T) / 2
        else:
            rows, cols = pull.shape
            stacked = np.concatenate([factors[1], factors[0].T])
            matrix = np.block(
                [[np.zeros((rows, rows)), pull], [pull.T, np.zeros((cols, cols))]]
            )
        rates, basis = np.linalg.eigh(matrix)
        rates, basis = rates[::-1], basis[:, ::-1]
        _, triangle = np.linalg.qr((basis.T @ stacked).T)
        return rates, basis, triangle.T

    def _arrival(
        self,
        rates: Float[np.ndarray, " size"],
        triangle: Float[np.ndarray, "size units"],
    ) -> float:
        sizes = np.linalg.norm(triangle, axis=1)
        grows = (rates > 0) & (sizes > 0)
        logs = np.log(sizes[grows]) + self._half_log()
        times = (np.log(_ARRIVAL) - logs) / rates[grows]
        if not (times.size and times.min() > 0):
            raise SpecError(
                where="Escaped(log10_factor)",
                rule=f"W(0) is below {_ARRIVAL**2:g} and has a direction that grows",
                got=f"a factor 10^{self.log10_factor:g}",
                fix="Use its start alone, at a scale of its own",
            )
        return float(times.min())


def _widened(array: Float[np.ndarray, "size k"], width: int) -> np.ndarray:
    """The same with columns of zeros, up to a width."""
    return np.pad(array, ((0, 0), (0, width - array.shape[1])))
