r"""The face of the p.s.d. cone that observed entries leave.

Where a principal block is observed whole and singular, B n = 0 forces X n = 0 for every
p.s.d. X with these entries (n' X n = 0, and X >= 0). So X = V R V' with V orthogonal to
all such n: a smaller problem. Without this step no solution is positive definite, the
dual need not be attained, and a solver that wants an interior stalls.

The proof stays that of the large problem. With 𝒜*(mu) the sum of all n n', which has
<y, mu> = 0, the dual lambda of the small problem becomes lambda - t mu, feasible to any
accuracy for t large enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from lowrankflow.problems import DenseSensing, SensingProblem, SymmetricEntrySampling

# Relative to the largest eigenvalue of its block, an eigenvalue that is rounding.
_ZERO = 1e-12
# Directions n that others nearly span are told apart by this, relative.
_DEPENDENT = 1e-8
# A problem on the face is held as a stack of measurement matrices: 0.4 GB at most.
_LARGEST_STACK = 5 * 10**7
# A graph can have exponentially many maximal cliques; what the first ones say is used.
_MOST_CLIQUES = 1000


@dataclass(frozen=True, kw_only=True)
class Face:
    """All p.s.d. matrices V R V', R >= 0, among them all with the observed entries.

    Args:
        basis: V, size x dimension, orthonormal columns.
        exposing: mu, one number per measurement: 𝒜*(mu) is p.s.d., has V as its null
            space, and <y, mu> = 0 to rounding.

    Exactness: the blocks' eigenvalues below 1e-12 of the largest count as zero.
    """

    basis: Float[np.ndarray, "size dimension"]
    exposing: Float[np.ndarray, " m"]

    def restricted(self, problem: SensingProblem) -> SensingProblem:
        """The problem of R: measurement matrices V' A_k V, the same measurements."""
        operator = problem.operator
        assert isinstance(operator, SymmetricEntrySampling), "as in `exposed_face`"
        left = self.basis[np.asarray(operator.row_index)]
        right = self.basis[np.asarray(operator.col_index)]
        product = left[:, :, None] * right[:, None, :]
        stack = (product + product.transpose(0, 2, 1)) / 2
        return SensingProblem(DenseSensing(stack), np.asarray(problem.measurements))

    def matrix(
        self, inner: Float[np.ndarray, "dimension dimension"]
    ) -> Float[np.ndarray, "size size"]:
        """V R V'."""
        return self.basis @ inner @ self.basis.T

    def duals(self, dual: Float[np.ndarray, " m"]) -> Iterator[np.ndarray]:
        """Duals (or rays) of the whole problem, from one of R's.

        The first ones exceed what is allowed off the face; the last ones lose value by
        rounding; in between are those to be tried.
        """
        size = np.linalg.norm(dual) / np.linalg.norm(self.exposing)
        for power in range(14):
            yield dual - (10.0**power * size) * self.exposing


def exposed_face(problem: SensingProblem) -> Face | None:
    """The face that singular blocks of observed entries leave, if it is a smaller one.

    Args:
        problem: of symmetric entries; with other operators there are no blocks.

    Returns:
        None when no block is singular, when one has a negative eigenvalue (then no
        p.s.d. matrix has these entries), when only zero is left, or when the stack of
        measurement matrices on the face would exceed 0.4 GB.

    Exactness: what blocks force; where several blocks together force more, that is not
        seen. Maximal cliques beyond the first thousand are not looked at.
    Cost: an eigendecomposition for each maximal clique of the graph of observed entries
        among rows with an observed diagonal, and one of size x size.
    Source: drusvyatskiy2017, sections 2 and 4.
    """
    operator = problem.operator
    if not isinstance(operator, SymmetricEntrySampling):
        return None
    size, count = problem.shape[0], problem.measurements.shape[0]
    if count * size**2 > _LARGEST_STACK:
        return None
    rows, cols = np.asarray(operator.row_index), np.asarray(operator.col_index)
    table = np.zeros((size, size))
    observed = np.zeros((size, size), dtype=bool)
    for i, j in ((rows, cols), (cols, rows)):
        table[i, j], observed[i, j] = problem.measurements, True
    forced = np.zeros((size, size))
    for number, clique in enumerate(_maximal_cliques(observed)):
        values, vectors = np.linalg.eigh(table[np.ix_(clique, clique)])
        rounding = _ZERO * np.abs(values).max()
        if values[0] < -rounding:
            return None
        null = vectors[:, values <= rounding]
        forced[np.ix_(clique, clique)] += null @ null.T
        if number + 1 == _MOST_CLIQUES:
            break
    values, vectors = np.linalg.eigh(forced)
    free = values <= _DEPENDENT * max(values[-1], _DEPENDENT)
    if free.all() or not free.any():
        return None
    # (E_ij + E_ji) / 2 gives half of mu_k on either side of the diagonal.
    exposing = forced[rows, cols] * np.where(rows == cols, 1.0, 2.0)
    return Face(basis=vectors[:, free], exposing=exposing)


def _maximal_cliques(observed: Bool[np.ndarray, "size size"]) -> Iterator[list[int]]:
    """Sets of rows whose principal block is observed whole, no one within another.

    Source: tomita2006 (Bron and Kerbosch's algorithm with a pivot).
    """
    vertices = [int(v) for v in np.flatnonzero(np.diag(observed))]
    near = {v: {u for u in vertices if u != v and observed[u, v]} for v in vertices}
    pending = [([], set(vertices), set[int]())]
    while pending:
        clique, candidates, done = pending.pop()
        if not candidates and not done:
            if clique:
                yield sorted(clique)
            continue
        pivot = max(candidates | done, key=lambda v: (len(candidates & near[v]), -v))
        for v in sorted(candidates - near[pivot]):
            pending.append(([*clique, v], candidates & near[v], done & near[v]))
            candidates, done = candidates - {v}, done | {v}
