"""The papers' hand-made completion problems, one function each.

Each takes its parameters by name, checked by `named`, and returns the problem with what
is known about it.
"""

import numpy as np

from lowrankflow.problems.known import DERIVED, Known, NamedInstance, require_range
from lowrankflow.problems.operators import EntrySampling, SymmetricEntrySampling
from lowrankflow.problems.planted import measure
from lowrankflow.problems.problem import SensingProblem


def li2021_4x4(*, R: float) -> NamedInstance:
    """The counter-example to the nuclear-norm conjecture."""
    require_range("li2021-4x4", "R", R, R > 1, "R > 1, where the two answers differ")
    rows, cols = np.array([0, 0, 1, 2, 3, 2]), np.array([2, 3, 2, 0, 0, 1])
    problem = SensingProblem(
        EntrySampling(rows, cols, (4, 4)), np.array([1.0, R, R, 1.0, R, R])
    )
    vector = np.array([1.0, R, 1.0, R])
    block = np.array([[R, 1.0], [1.0, R]])
    root = (1 + 4 * R**2) ** 0.5
    where = "li2021, the counter-example to the conjecture of gunasekar2017"
    return NamedInstance(
        name="li2021-4x4",
        problem=problem,
        psd=True,
        parameters={"R": R},
        description=(
            "Symmetric 4 x 4 completion where a flow from an infinitesimal start finds "
            "rank 1 and the least nuclear norm has rank 2: greedy rank wins over the "
            "norm. Use R = 2 or 3 for flows; with R = 100 no start is small enough."
        ),
        source=where,
        known={
            "min_trace": Known(
                value=4 * R,
                statement="The least trace of a p.s.d. completion is 4 R.",
                source=where,
            ),
            "min_trace_solution": Known(
                value=np.block([[block, block[::-1]], [block[::-1], block]]),
                statement="The only p.s.d. completion of that trace; it has rank 2.",
                source=where,
            ),
            "greedy_limit": Known(
                value=np.outer(vector, vector),
                statement="Greedy low-rank learning ends in one stage at v v', "
                "v = (1, R, 1, R): rank 1 and loss 0.",
                source=where,
            ),
            "greedy_limit_trace": Known(
                value=2 * R**2 + 2,
                statement="Its trace is 2 R^2 + 2.",
                source=where,
            ),
            "descent_eigenvalues": Known(
                value=np.array([root + 1, root - 1, 1 - root, -1 - root]) / 2,
                statement="The eigenvalues of -grad f(0), descending: "
                "(+-sqrt(1 + 4 R^2) +- 1) / 2, so that the first gap is exactly 1.",
                source=DERIVED,
            ),
        },
    )


def li2021_20x20(*, seed: int) -> NamedInstance:
    """A planted p.s.d. completion that greedy learning solves in three stages."""
    # One raw NumPy stream draws truth and entries, as the published numbers below do.
    random = np.random.default_rng(seed)
    factor = random.standard_normal((20, 3))
    target = factor @ factor.T
    target = (target + target.T) / 2 * (20 / np.linalg.norm(target))
    rows, cols = np.divmod(np.sort(random.choice(400, 120, replace=False)), 20)
    known = {}
    losses = {0: (10.53, 3.298), 1: (15.29, 0.6754), 2: (9.947, 1.876)}
    where = "an own reproduction of the experiments of li2021"
    if seed <= 4:
        known["greedy_limit"] = Known(
            value=target,
            statement="Greedy low-rank learning ends at the target after stage 3.",
            source=where,
        )
    if seed in losses:
        known["greedy_losses"] = Known(
            value=np.array([*losses[seed], 0.0]),
            statement="The loss after stages 1, 2 and 3, to four digits.",
            source=where,
        )
    return NamedInstance(
        name="li2021-20x20",
        problem=measure(target, EntrySampling(rows, cols, (20, 20))),
        psd=True,
        parameters={"seed": seed},
        description=(
            "A 20 x 20 p.s.d. matrix of rank 3 and Frobenius norm 20, of which 120 "
            "uniformly random ordered entries are observed."
        ),
        source="li2021, the experiments on matrix completion",
        known=known,
    )


def razin2020_2x2(*, W_12: float, W_21: float, W_22: float) -> NamedInstance:
    """Two by two completion in which all norms may have to diverge."""
    values = np.array([W_12, W_21, W_22])
    product = W_12 * W_21
    # Of ||W||_*^2 = ||W||_F^2 + 2 |det W|, over W_11 alone: a parabola with a kink.
    kink = abs(product) < W_22**2
    corner = product / W_22 if kink else np.sign(product) * W_22
    best = np.array([[corner, W_12], [W_21, W_22]])
    determinant = corner * W_22 - product
    known = {
        "min_nuclear_norm": Known(
            value=float(np.sqrt((best**2).sum() + 2 * abs(determinant))),
            statement="The least nuclear norm of a completion.",
            source=DERIVED,
        ),
        "min_nuclear_norm_solution": Known(
            value=best,
            statement="The only completion of that nuclear norm.",
            source=DERIVED,
        ),
    }
    where = "razin2020, theorem 1"
    if W_22 == 0 and product > 0:
        known["unobserved_entry_limit"] = Known(
            value=np.inf,
            statement="From an end-to-end matrix with a positive determinant, |W_11| "
            "grows without bound as the loss tends to 0, and every norm with it.",
            source=where,
        )
        known["infimal_rank"] = Known(
            value=1.0,
            statement="Matrices of rank 1 come as close to the data as one likes, "
            "though every completion has rank 2.",
            source=where,
        )
    if W_22 != 0:
        known["min_rank_solution"] = Known(
            value=np.array([[product / W_22, W_12], [W_21, W_22]]),
            statement="The only completion of rank 1.",
            source=DERIVED,
        )
    return NamedInstance(
        name="razin2020-2x2",
        problem=SensingProblem(
            EntrySampling(np.array([0, 1, 1]), np.array([1, 0, 1]), (2, 2)), values
        ),
        psd=False,
        parameters={"W_12": W_12, "W_21": W_21, "W_22": W_22},
        description=(
            "All entries but W_11 of a 2 x 2 matrix are observed. As given, lowering "
            "the rank means raising every norm; the parameters perturb the data."
        ),
        source="razin2020, section 3",
        known=known,
    )


def gunasekar2017_3x3() -> NamedInstance:
    """An instance of the exhaustive grid on which the conjecture fails."""
    rows, cols = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])
    operator = SymmetricEntrySampling(rows, cols, 3)
    values = np.array([9.0, -3.0, 3.0, -5.0]) / 9

    def completion(W_13: float, W_33: float) -> np.ndarray:
        return np.array(
            [[1.0, -1 / 3, W_13], [-1 / 3, 1 / 3, -5 / 9], [W_13, -5 / 9, W_33]]
        )

    where = "li2021, algorithm 1 (greedy low-rank learning), run to convergence"
    return NamedInstance(
        name="gunasekar2017-3x3",
        problem=SensingProblem(operator, values),
        psd=True,
        parameters={},
        description=(
            "X_11 = 1, X_12 = -1/3, X_22 = 1/3, X_23 = -5/9, each observed once: the "
            "smaller the start, the further the flow ends from the least nuclear norm."
        ),
        source="gunasekar2017, section 5, one instance of the exhaustive 3 x 3 grid",
        known={
            "min_trace": Known(
                value=61 / 27,
                statement="The least trace of a p.s.d. completion is 61/27.",
                source=DERIVED,
            ),
            "min_trace_solution": Known(
                value=completion(5 / 9, 25 / 27),
                statement="The only p.s.d. completion of that trace.",
                source=DERIVED,
            ),
            "greedy_limit": Known(
                value=completion(1.224418, 1.596991),
                statement="Greedy low-rank learning ends here, with rank 2 and loss 0; "
                "the unobserved entries to six decimals.",
                source=where,
            ),
            "greedy_limit_trace": Known(
                value=2.930324,
                statement="Its trace, 29.7 % above the least; to six decimals.",
                source=where,
            ),
        },
    )
