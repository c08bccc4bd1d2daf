"""The papers' problems with measurements that commute, one function each.

Each takes its parameters by name, checked by `named`, and returns the problem with what
is known about it.
"""

import numpy as np

from lowrankflow.problems.dense_operators import CommutingSensing
from lowrankflow.problems.known import DERIVED, Known, NamedInstance, require_range
from lowrankflow.problems.planted import measure
from lowrankflow.problems.problem import SensingProblem
from lowrankflow.problems.truths import random_frame
from lowrankflow.seeds import generator


def gunasekar2017_diagonal() -> NamedInstance:
    """Two diagonal measurements of three numbers."""
    eigenvalues = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    return NamedInstance(
        name="gunasekar2017-diagonal",
        problem=SensingProblem(CommutingSensing(np.eye(3), eigenvalues), np.ones(2)),
        psd=True,
        parameters={},
        description=(
            "diag(1, 1, 0) and diag(0, 1, 1) measure 1 each: the solutions are "
            "(1 - b, b, 1 - b) on the diagonal, and the flow has a closed form."
        ),
        source="gunasekar2017, corollary 2; the numbers are our own",
        known={
            "min_trace": Known(
                value=1.0,
                statement="The least trace of a p.s.d. solution.",
                source=DERIVED,
            ),
            "min_trace_solution": Known(
                value=np.diag([0.0, 1.0, 0.0]),
                statement="The only p.s.d. solution of that trace, and by theorem 1 "
                "the limit of the flow from alpha I as alpha tends to 0.",
                source="gunasekar2017, theorem 1",
            ),
            "min_frobenius_solution": Known(
                value=np.diag([1.0, 2.0, 1.0]) / 3,
                statement="The solution of least Frobenius norm, where descent on the "
                "matrix itself goes from 0.",
                source=DERIVED,
            ),
        },
    )


def arora2019_proposition1(*, size: int) -> NamedInstance:
    """Commuting measurements whose limit minimises no Schatten quasi-norm."""
    name = "arora2019-proposition1"
    require_range(name, "size", size, size >= 3, "size >= 3")
    limit = np.zeros((size, size))
    limit[[0, 1], [0, 1]] = 1.0
    ones = np.zeros((size, size))
    ones[:2, :2] = 1.0
    operator = CommutingSensing(np.eye(size), np.eye(size)[:2])
    where = "arora2019, proposition 1"
    return NamedInstance(
        name=name,
        problem=SensingProblem(operator, np.ones(2)),
        psd=False,
        parameters={"size": size},
        description=(
            "W_11 = W_22 = 1 is all that is measured. From a start alpha I the flow of "
            "any depth tends to diag(1, 1, 0, ...) as alpha tends to 0, and adding eps "
            "to W_12 and W_21 lowers every Schatten quasi-norm of power below 1."
        ),
        source=where + "; the matrices are our own, the appendix was not at hand",
        known={
            "flow_limit": Known(
                value=limit,
                statement="The limit of the flow from alpha I as alpha tends to 0.",
                source=where,
            ),
            "min_nuclear_norm": Known(
                value=2.0,
                statement="The least nuclear norm is 2; the flow limit has it, and so "
                "has every diag(1, 1, 0, ...) + eps (E_12 + E_21) with |eps| <= 1.",
                source=DERIVED,
            ),
            "min_rank_solution": Known(
                value=ones,
                statement="A solution of rank 1, with nuclear norm 2 as well.",
                source=DERIVED,
            ),
        },
    )


def arora2019_single_measurement() -> NamedInstance:
    """One diagonal measurement, solved in closed form at every depth."""
    operator = CommutingSensing(np.eye(3), np.array([[1.0, 0.6, 0.3]]))
    ends = {
        1: (1.376207, 0.829724, 0.419862),
        2: (1.848174, 0.229111, 0.047866),
        3: (1.945944, 0.078325, 0.023537),
        4: (1.963637, 0.050998, 0.019215),
    }
    known = {
        f"singular_values_depth_{depth}": Known(
            value=np.array(values),
            statement="The singular values at the end of the flow from 0.01 I, the "
            f"scale of the end-to-end matrix, at depth {depth}; to six decimals.",
            source="arora2019, equations (10) and (11), evaluated",
        )
        for depth, values in ends.items()
    }
    known["min_nuclear_norm"] = Known(
        value=2.0,
        statement="The least nuclear norm of a solution, y / ||A||_2.",
        source=DERIVED,
    )
    known["min_nuclear_norm_solution"] = Known(
        value=np.diag([2.0, 0.0, 0.0]),
        statement="The only matrix of that nuclear norm.",
        source=DERIVED,
    )
    return NamedInstance(
        name="arora2019-single-measurement",
        problem=SensingProblem(operator, np.array([2.0])),
        psd=False,
        parameters={},
        description=(
            "One measurement by A = diag(1, 0.6, 0.3) with y = 2: the deeper, the more "
            "the first singular value leaves the others behind."
        ),
        source="arora2019, the illustration of equations (10) and (11)",
        known=known,
    )


def arora2019_signed() -> NamedInstance:
    """Two diagonal measurements where the least nuclear norm is not p.s.d."""
    eigenvalues = np.array([[1.0, 0.0, -2.0, -2.0, -2.0], [0.0, 1.0, 0.0, 0.0, 0.0]])
    operator = CommutingSensing(np.eye(5), eigenvalues)
    return NamedInstance(
        name="arora2019-signed",
        problem=SensingProblem(operator, np.ones(2)),
        psd=False,
        parameters={},
        description=(
            "diag(1, 0, -2, -2, -2) and diag(0, 1, 0, 0, 0) measure 1 each: the least "
            "nuclear norm of a p.s.d. solution is 2, that of all solutions 3/2."
        ),
        source="arora2019, theorem 2; the numbers are our own",
        known={
            "min_trace": Known(
                value=2.0,
                statement="The least trace of a p.s.d. solution.",
                source=DERIVED,
            ),
            "min_trace_solution": Known(
                value=np.diag([1.0, 1.0, 0.0, 0.0, 0.0]),
                statement="The only diagonal p.s.d. solution of that trace, and by "
                " theorem 2 the limit of the flow from alpha I.",
                source="arora2019, theorem 2",
            ),
            "min_nuclear_norm": Known(
                value=1.5,
                statement="The least nuclear norm of any solution, for example of "
                "diag(0, 1, -1/2, 0, 0).",
                source=DERIVED,
            ),
        },
    )


def commuting(
    *, size: int, num_measurements: int, rank: int, seed: int, rotated: int
) -> NamedInstance:
    """A random commuting family with a planted p.s.d. target."""
    name = "commuting"
    require_range(name, "size", size, size >= 1, "size >= 1")
    ok = 1 <= num_measurements <= size
    rule = "1 <= num_measurements <= size"
    require_range(name, "num_measurements", num_measurements, ok, rule)
    require_range(name, "rank", rank, 1 <= rank <= size, "1 <= rank <= size")
    require_range(name, "rotated", rotated, rotated <= 1, "rotated 0 or 1")
    basis = random_frame(size, size, name, seed=seed) if rotated else np.eye(size)
    shape = (num_measurements, size)
    eigenvalues = generator(seed, name, "eigenvalues").uniform(size=shape)
    spectrum = np.zeros(size)
    spectrum[:rank] = generator(seed, name, "target").uniform(0.5, 1.5, size=rank)
    target = (basis * spectrum) @ basis.T
    operator = CommutingSensing(basis, eigenvalues)
    problem = measure((target + target.T) / 2, operator)
    # In the common basis only the diagonal is measured: a linear program.
    # A third of a second to import, and few need it.
    from scipy.optimize import linprog

    linear = linprog(
        np.ones(size), A_eq=eigenvalues, b_eq=problem.measurements, method="highs"
    )
    assert linear.success, "the planted target is feasible, and traces are >= 0"
    return NamedInstance(
        name=name,
        problem=problem,
        psd=True,
        parameters={
            "size": size,
            "num_measurements": num_measurements,
            "rank": rank,
            "seed": seed,
            "rotated": rotated,
        },
        description=(
            "Measurements Q diag(e_k) Q' with a random basis (rotated 0: the unit "
            "vectors) and eigenvalues uniform in [0, 1], of a p.s.d. target with the "
            "same basis and the rank given."
        ),
        source="gunasekar2017, theorem 1; arora2019, theorem 2",
        known={
            "min_trace": Known(
                value=float(linear.fun),
                statement="The least trace of a p.s.d. solution, to 1e-9.",
                source="the linear program of its eigenvalues in the common basis",
            ),
            "min_trace_solution": Known(
                value=(basis * linear.x) @ basis.T,
                statement="A p.s.d. solution of that trace; with probability 1 the "
                "only one with the common basis.",
                source="the linear program of its eigenvalues in the common basis",
            ),
        },
    )
