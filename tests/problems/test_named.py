import numpy as np
import pytest
from scipy.integrate import solve_ivp

from lowrankflow import problems
from lowrankflow.errors import SpecError

# Interior points of problems of at most twenty unknowns, solved to 1e-9.
CONIC = 1e-6


def measurement_matrices(problem):
    """The A_k as arrays, from `apply` alone."""
    rows, cols = problem.shape
    basis = np.eye(rows * cols).reshape(-1, rows, cols)
    return np.array([problem.operator.apply(e) for e in basis]).T.reshape(
        -1, rows, cols
    )


def conic(problem, *, psd):
    """The least trace, or nuclear norm, of a solution and where it is attained."""
    cvxpy = pytest.importorskip("cvxpy")
    matrix = cvxpy.Variable(problem.shape, PSD=psd)
    constraints = [
        cvxpy.sum(cvxpy.multiply(a, matrix)) == y
        for a, y in zip(
            measurement_matrices(problem), problem.measurements, strict=True
        )
    ]
    objective = cvxpy.trace(matrix) if psd else cvxpy.normNuc(matrix)
    value = cvxpy.Problem(cvxpy.Minimize(objective), constraints).solve(
        solver="CLARABEL"
    )
    return value, matrix.value


def descend(problem, factor, *, duration, rtol=1e-9):
    """The flow U' = -grad f(U U') U, with the gradient made symmetric."""

    def velocity(_, flat):
        current = flat.reshape(factor.shape)
        gradient = problem.gradient(current @ current.T).to_dense()
        return -((gradient + gradient.T) / 2 @ current).ravel()

    run = solve_ivp(
        velocity, (0, duration), factor.ravel(), method="LSODA", rtol=rtol, atol=1e-13
    )
    return run.y[:, -1].reshape(factor.shape)


def greedy(problem, stages, *, duration):
    """Greedy low-rank learning with plain flows: the matrices after each stage."""
    factor, ends = np.zeros((problem.shape[0], 0)), []
    for _ in range(stages):
        gradient = problem.gradient(factor @ factor.T).to_dense()
        values, vectors = np.linalg.eigh(-(gradient + gradient.T) / 2)
        seed = 1e-14
        wait = np.log(1 / seed) / (2 * values[-1])
        factor = np.column_stack([factor, seed**0.5 * vectors[:, -1]])
        factor = descend(problem, factor, duration=wait + duration)
        ends.append(factor @ factor.T)
    return ends


def is_solution(instance, matrix, *, psd, accuracy=1e-12):
    residual = np.abs(instance.problem.residual(matrix)).max()
    definite = not psd or np.linalg.eigvalsh(matrix)[0] > -accuracy
    return residual < accuracy and definite


INSTANCES = {
    "li2021-4x4": [{}, {"R": 2}, {"R": 1.5}],
    "li2021-20x20": [{}, {"seed": 2}, {"seed": 7}],
    "razin2020-2x2": [
        {},
        {"W_22": 0.3},
        {"W_12": -2.0, "W_22": 0.3},
        {"W_12": -2.0},
        {"W_22": 4.0, "W_21": -0.5},
    ],
    "arora2019-proposition1": [{}, {"size": 5}],
    "arora2019-signed": [{}],
    "arora2019-single-measurement": [{}],
    "gunasekar2017-diagonal": [{}],
    "gunasekar2017-3x3": [{}],
    "commuting": [
        {},
        {"size": 8, "num_measurements": 4, "rank": 1, "seed": 5},
        {"rotated": 0, "seed": 3},
    ],
}
CASES = [(name, choice) for name, choices in INSTANCES.items() for choice in choices]
every_case = pytest.mark.parametrize(("name", "parameters"), CASES, ids=str)


def test_every_instance_is_tested():
    assert problems.named_instances() == tuple(sorted(INSTANCES))


@every_case
def test_every_known_matrix_solves_the_problem(name, parameters):
    instance = problems.named(name, parameters)
    assert instance.name == name
    assert dict(instance.parameters).items() >= parameters.items()
    # Values given to six decimals solve their problem to 1e-6.
    accuracy = 1e-6 if name == "gunasekar2017-3x3" else 1e-12
    for key, fact in instance.known.items():
        assert fact.statement.endswith("."), key
        assert fact.source, key
        if np.ndim(fact.value) == 2:
            scale = max(1.0, np.abs(fact.value).max())
            assert is_solution(
                instance, fact.value, psd=instance.psd, accuracy=accuracy * scale
            ), key


@pytest.mark.parametrize(
    ("name", "parameters"),
    [case for case in CASES if case[0] not in ("li2021-20x20",)],
    ids=str,
)
def test_the_least_norm_is_what_a_conic_solver_finds(name, parameters):
    instance = problems.named(name, parameters)
    kind = "min_trace" if instance.psd else "min_nuclear_norm"
    expected = instance.known[kind].value
    value, found = conic(instance.problem, psd=instance.psd)
    assert value == pytest.approx(expected, rel=CONIC)
    solution = instance.known.get(f"{kind}_solution")
    if solution is not None:
        norm = np.linalg.svd(solution.value, compute_uv=False).sum()
        assert norm == pytest.approx(expected, rel=1e-9)
        # Near the optimum a minimiser moves like the square root of the value.
        np.testing.assert_allclose(found, solution.value, atol=1e-3 * expected)


def test_commuting_matrices_commute_and_have_the_rank_asked_for():
    instance = problems.named(
        "commuting", {"size": 6, "num_measurements": 3, "rank": 2}
    )
    first, second, third = measurement_matrices(instance.problem)
    for a, b in [(first, second), (second, third)]:
        np.testing.assert_allclose(a @ b, b @ a, atol=1e-13)
    assert np.linalg.matrix_rank(instance.problem.target) == 2
    assert is_solution(instance, instance.problem.target, psd=True)


@pytest.mark.parametrize("R", [2.0, 3.0])
def test_li2021_4x4_greedy_limit_has_rank_one(R):
    instance = problems.named("li2021-4x4", {"R": R})
    (end,) = greedy(instance.problem, 1, duration=200.0)
    limit = instance.known["greedy_limit"].value
    # 1e-4: the seed of 1e-14 leaves 4e-7 (R = 2) to 7e-7 (R = 3) of the other modes.
    assert np.linalg.norm(end - limit) < 1e-4 * np.linalg.norm(limit)
    assert np.trace(limit) == instance.known["greedy_limit_trace"].value
    assert np.linalg.matrix_rank(limit) == 1
    assert np.linalg.matrix_rank(instance.known["min_trace_solution"].value) == 2


@pytest.mark.parametrize("R", [2.0, 100.0])
def test_li2021_4x4_gradient_at_zero(R):
    instance = problems.named("li2021-4x4", {"R": R})
    observed = np.zeros((4, 4))
    observed[0, 2], observed[0, 3], observed[1, 2] = 1, R, R
    observed += observed.T
    gradient = instance.problem.gradient(np.zeros((4, 4))).to_dense()
    np.testing.assert_array_equal(-gradient, observed)
    eigenvalues = np.linalg.eigvalsh(observed)[::-1]
    np.testing.assert_allclose(
        instance.known["descent_eigenvalues"].value, eigenvalues, rtol=1e-12
    )
    # Both triangles count: f(0) is half the sum of six squares.
    assert instance.problem.value(np.zeros((4, 4))) == 1 + 2 * R**2


@pytest.mark.parametrize(
    ("seed", "first", "ratio"),
    [(0, 6.735, 0.792), (1, 6.148, 0.834), (2, 6.236, 0.498)],
)
def test_li2021_20x20_gradient_at_zero(seed, first, ratio):
    problem = problems.named("li2021-20x20", {"seed": seed}).problem
    gradient = problem.gradient(np.zeros((20, 20))).to_dense()
    eigenvalues = np.linalg.eigvalsh(-(gradient + gradient.T) / 2)
    # The numbers were recorded to three decimals.
    assert eigenvalues[-1] == pytest.approx(first, abs=6e-4)
    assert eigenvalues[-2] / eigenvalues[-1] == pytest.approx(ratio, abs=6e-4)
    assert np.linalg.norm(problem.target) == pytest.approx(20.0, rel=1e-13)


def test_li2021_20x20_is_solved_by_three_greedy_stages():
    instance = problems.named("li2021-20x20", {"seed": 2})
    ends = greedy(instance.problem, 3, duration=100.0)
    losses = [float(instance.problem.value(end)) for end in ends]
    # The losses were recorded to four digits; the last stage stops at a finite time.
    np.testing.assert_allclose(
        losses, instance.known["greedy_losses"].value, rtol=1e-3, atol=1e-4
    )
    limit = instance.known["greedy_limit"].value
    assert np.linalg.norm(ends[-1] - limit) < 1e-2 * np.linalg.norm(limit)


def test_li2021_20x20_claims_only_what_was_checked():
    assert "greedy_losses" not in problems.named("li2021-20x20", {"seed": 3}).known
    assert not problems.named("li2021-20x20", {"seed": 5}).known


def test_gunasekar2017_3x3_greedy_limit():
    instance = problems.named("gunasekar2017-3x3")
    first, second = greedy(instance.problem, 2, duration=300.0)
    assert instance.problem.value(first) > 1e-3
    # 2e-5: the seed of 1e-14 and the end of the first stage leave 1e-6.
    np.testing.assert_allclose(second, instance.known["greedy_limit"].value, atol=2e-5)
    trace = instance.known["greedy_limit_trace"].value
    assert np.trace(second) == pytest.approx(trace, abs=2e-5)
    assert trace > 1.29 * instance.known["min_trace"].value


def test_gunasekar2017_3x3_is_in_the_grid():
    problem = problems.named("gunasekar2017-3x3").problem
    grid = problems.ExhaustiveGrid()
    pairs = np.stack([problem.operator.row_index, problem.operator.col_index], 1)
    (mask,) = [m for m in range(15) if np.array_equal(grid.masks[m], pairs)]
    distance = np.abs(grid.fillings - problem.measurements).max(axis=1)
    assert distance.min() < 1e-15
    assert grid.feasible(mask)[distance.argmin()]


def test_gunasekar2017_diagonal_frobenius_solution():
    instance = problems.named("gunasekar2017-diagonal")
    stacked = measurement_matrices(instance.problem).reshape(2, -1)
    least = np.linalg.pinv(stacked) @ instance.problem.measurements
    np.testing.assert_allclose(
        instance.known["min_frobenius_solution"].value.ravel(), least, atol=1e-14
    )


def test_gunasekar2017_diagonal_flow_tends_to_the_least_trace():
    instance = problems.named("gunasekar2017-diagonal")
    end = descend(instance.problem, 1e-2 * np.eye(3), duration=100.0)
    # From alpha I with alpha = 1e-4: x_1 = alpha (sqrt(1 + 4 / alpha) - 1) / 2.
    np.testing.assert_allclose(
        np.diag(end @ end.T), [0.00995012, 1 - 0.00995012, 0.00995012], atol=1e-7
    )


@pytest.mark.parametrize("size", [3, 5])
def test_arora2019_proposition1(size):
    instance = problems.named("arora2019-proposition1", {"size": size})
    limit = instance.known["flow_limit"].value
    end = descend(instance.problem, 1e-5 * np.eye(size), duration=100.0)
    np.testing.assert_allclose(end @ end.T, limit, atol=1e-9)
    near = limit.copy()
    near[[0, 1], [1, 0]] = 0.1
    assert is_solution(instance, near, psd=True)
    for power in (0.1, 0.25, 0.5, 0.9):
        assert (np.linalg.svd(near, compute_uv=False)[:2] ** power).sum() < 2
    assert np.linalg.matrix_rank(instance.known["min_rank_solution"].value) == 1


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_arora2019_single_measurement(depth):
    instance = problems.named("arora2019-single-measurement")
    weights = np.array([1.0, 0.6, 0.3])
    np.testing.assert_allclose(
        measurement_matrices(instance.problem)[0], np.diag(weights)
    )

    def velocity(_, values):
        slope = (weights @ values - 2.0) * weights
        return -depth * values ** (2 - 2 / depth) * slope

    run = solve_ivp(velocity, (0, 200), [0.01] * 3, rtol=1e-10, atol=1e-12)
    expected = instance.known[f"singular_values_depth_{depth}"].value
    # Six decimals, rounded.
    np.testing.assert_allclose(run.y[:, -1], expected, atol=6e-7)


def test_razin2020_norms_diverge_where_the_determinant_is_positive():
    instance = problems.named("razin2020-2x2")
    assert np.isinf(instance.known["unobserved_entry_limit"].value)
    random = np.random.default_rng(0)
    for size in (1e-1, 1e-2, 1e-3):
        noise = size * random.standard_normal((400, 3))
        right, below = 1 + noise[:, 0], 1 + noise[:, 1]
        corner = random.standard_normal(400) * 10 / size
        matrices = np.array([[corner, right], [below, noise[:, 2]]]).transpose(2, 0, 1)
        positive = matrices[np.linalg.det(matrices) > 0]
        assert len(positive) > 50
        losses = np.array([instance.problem.value(matrix) for matrix in positive])
        bound = (1 - np.sqrt(2 * losses)) ** 2 / np.sqrt(2 * losses)
        assert np.all(np.abs(positive[:, 0, 0]) >= bound)


def test_razin2020_rank_one_comes_as_close_as_one_likes():
    problem = problems.named("razin2020-2x2").problem
    for small in (1e-1, 1e-3, 1e-5):
        matrix = np.array([[1 / small, 1.0], [1.0, small]])
        assert problem.value(matrix) == pytest.approx(small**2 / 2, rel=1e-12)
        assert np.linalg.svd(matrix, compute_uv=False)[1] < 1e-15 / small
    perturbed = problems.named("razin2020-2x2", {"W_22": 0.1}).known
    assert "infimal_rank" not in perturbed
    assert "unobserved_entry_limit" not in perturbed
    assert np.linalg.matrix_rank(perturbed["min_rank_solution"].value) == 1


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("li2021_4x4", "li2021-4x4"),
        ("razin-2x2", "razin2020-2x2"),
        ("Commuting", "commuting"),
        (3, "gunasekar2017-3x3"),
    ],
)
def test_unknown_names_list_the_known_ones(name, closest):
    rule = "the named problems are arora2019-proposition1, .*, razin2020-2x2"
    with pytest.raises(SpecError, match=rf"{rule}. Got '?{name}'?. .*'{closest}'"):
        problems.named(name)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("li2021-4x4", {"r": 2}, r"its parameters are R. Got 'r'. Did you mean 'R'"),
        (
            "gunasekar2017-3x3",
            {"R": 2},
            "its parameters are none. Got 'R'. Leave it out",
        ),
        ("li2021-4x4", {"R": 1.0}, r"R > 1.*Got R=1.0. Change it"),
        (
            "li2021-4x4",
            {"R": np.nan},
            "R is a finite number. Got nan. Give for example",
        ),
        (
            "li2021-4x4",
            {"R": "big"},
            "R is a finite number. Got 'big'. Give for example",
        ),
        ("commuting", {"size": 2.5}, "size is an integer >= 0. Got 2.5. Give for"),
        ("commuting", {"seed": -1}, "seed is an integer >= 0. Got -1. Give for"),
        ("commuting", {"seed": np.inf}, "seed is an integer >= 0. Got inf. Give for"),
        ("commuting", {"size": 0}, "defined for .*Got .*=.*Change it"),
        ("commuting", {"rank": 6}, "1 <= rank <= size. Got rank=6. Change it"),
        ("commuting", {"num_measurements": 6}, "<= size. Got num_meas.*=6. Change it"),
        ("arora2019-proposition1", {"size": 2}, "size >= 3. Got size=2. Change it"),
    ],
)
def test_wrong_parameters(name, parameters, message):
    with pytest.raises(SpecError, match=message) as caught:
        problems.named(name, parameters)
    assert caught.value.where == f"named({name!r}, parameters)"
