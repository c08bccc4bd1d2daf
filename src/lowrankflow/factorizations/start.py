"""The contract of a start: factors at time zero."""

import abc

import equinox as eqx
import numpy as np

from lowrankflow.errors import SpecError
from lowrankflow.factorizations.factorization import AbstractFactorization
from lowrankflow.problems import AbstractObjective, real_number

HostFactors = tuple[np.ndarray, ...]


class AbstractStart(eqx.Module):
    """A rule for the factors at time zero."""

    @abc.abstractmethod
    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        """The factors, NumPy float64, of the shapes the factorization has.

        Raises:
            SpecError: when this start and this factorization do not go together.
        """


def positive(where: str, value: float) -> None:
    """Nothing, for a positive finite number.

    Raises:
        SpecError: for anything else, a string that reads like a number included.
    """
    if not 0 < real_number(value) < np.inf:
        raise SpecError(
            where=where,
            rule="this is a positive, finite number",
            got=f"{value!r}",
            fix="Give for example 1e-3",
        )
