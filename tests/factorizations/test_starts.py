import itertools

import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.factorizations import (
    Aligned,
    Balanced,
    DeepFactorization,
    Gaussian,
    GivenFactors,
    Identity,
    Orthogonal,
    RandomPSD,
    SpectralOptimum,
    SymmetricFactorization,
    largest_rank,
)
from lowrankflow.problems import (
    EntrySampling,
    Objective,
    SensingProblem,
    to_dense,
)

ROUNDING = 1e-12  # a handful of products and roots of small matrices
SHAPES = [(5, 7), (7, 5), (5, 5)]
SCALED = [Gaussian, Orthogonal, Identity, Balanced, Aligned]
EXACT = [Orthogonal, Identity, Balanced, Aligned]
BALANCED = [Balanced, Aligned]


def problem(shape, count=None, seed=0):
    """Observed entries of a random matrix; all of them unless a count is given."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal(shape)
    order = rng.permutation(matrix.size)[:count]
    rows, cols = np.unravel_index(order, shape)
    return SensingProblem(EntrySampling(rows, cols, shape), matrix[rows, cols])


def factorizations(shape):
    """Depths 1 to 4 with narrow, full and wide widths, and U U' where it exists."""
    yield DeepFactorization(1)
    for depth in (2, 3, 4):
        for widths in (None, 3, 9):
            yield DeepFactorization(depth, widths)
    yield DeepFactorization(3, (shape[1], 4, 6, shape[0]))
    yield DeepFactorization(4, (shape[1], 6, 2, 8, shape[0]))
    if shape[0] == shape[1]:
        for width in (None, 2, 8):
            yield SymmetricFactorization(width)


PLACES = [
    pytest.param(shape, factorization, id=f"{shape}-{factorization}")
    for shape in SHAPES
    for factorization in factorizations(shape)
]
SQUARE = [place for place in PLACES if place.values[0] == (5, 5)]
DEEP = [place for place in PLACES if isinstance(place.values[1], DeepFactorization)]


def rms_singular_value(factorization, factors, scale):
    """In units of the scale, so that no square underflows."""
    unit = factorization.end_to_end(factors) / scale
    return np.linalg.norm(unit) / np.sqrt(min(unit.shape))


def imbalance(factors):
    """The largest ||W_{j+1}' W_{j+1} - W_j W_j'|| relative to the larger of the two."""
    uneven = 0.0
    for before, after in itertools.pairwise(factors):
        inner, outer = after.T @ after, before @ before.T
        size = max(np.linalg.norm(inner), np.linalg.norm(outer))
        uneven = max(uneven, np.linalg.norm(inner - outer) / size)
    return uneven


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize(("shape", "factorization"), PLACES)
def test_init_scale_is_the_rms_singular_value(kind, shape, factorization):
    for scale in (0.02, 3.0):
        factors = kind(init_scale=scale).factors(problem(shape), factorization, seed=4)
        assert tuple(f.shape for f in factors) == factorization.shapes(shape)
        assert all(f.dtype == np.float64 for f in factors)
        measured = rms_singular_value(factorization, factors, scale)
        assert measured == pytest.approx(1, rel=ROUNDING)


@pytest.mark.parametrize(("shape", "factorization"), PLACES)
def test_gaussian_init_scale_holds_in_expectation(shape, factorization):
    # The mean of ||W||_F^2 over 400 seeds, in units of its standard error: above 5 one
    # time in 10^6 for a normal mean. The squares are skewed to the right, which makes
    # small estimated errors likelier; simulated, about one in 10^4 at depth 4.
    start, target = Gaussian(init_scale=0.3), problem(shape)
    squares = np.array(
        [
            rms_singular_value(
                factorization, start.factors(target, factorization, seed=s), 0.3
            )
            ** 2
            for s in range(400)
        ]
    )
    error = squares.std() / np.sqrt(len(squares))
    assert error < 0.15  # else the test could not see a wrong width
    assert abs(squares.mean() - 1) < 5 * error


def test_gaussian_init_scale_of_one_symmetric_unit():
    # E ||u u'||_F^2 = E |u|^4 = s^4 n (n + 2): a third above the square of E |u|^2 for
    # n = 2, which the mean over 4000 seeds tells apart by ten standard errors; the
    # bound is 5, one false alarm in 10^5 (the squares are skewed).
    factorization, target = SymmetricFactorization(1), problem((2, 2))
    draws = [Gaussian(0.3).factors(target, factorization, seed=s) for s in range(4000)]
    squares = [rms_singular_value(factorization, f, 0.3) ** 2 for f in draws]
    assert abs(np.mean(squares) - 1) < 5 * np.std(squares) / np.sqrt(4000)


@pytest.mark.parametrize(("shape", "factorization"), DEEP)
def test_gaussian_entries_have_one_variance_and_mean_zero(shape, factorization):
    start, target = Gaussian(init_scale=0.3), problem(shape)
    draws = [start.factors(target, factorization, seed=s) for s in range(100)]
    shapes = factorization.shapes(shape)
    sizes = [rows * cols for rows, cols in shapes]
    # E ||W||_F^2 = v^N d_0 ... d_N is to be 0.3^2 min(rows, cols)
    widths = np.prod([shape[1], *(rows for rows, _ in shapes)])
    variance = (0.3**2 * min(shape) / widths) ** (1 / len(shapes))
    for j, size in enumerate(sizes):
        entries = np.concatenate([factors[j].ravel() for factors in draws])
        count = 100 * size
        # Mean and variance of `count` normal numbers: 5 standard errors, one false
        # alarm in 10^6 each.
        assert abs(entries.mean()) < 5 * np.sqrt(variance / count)
        assert abs(entries.var() / variance - 1) < 5 * np.sqrt(2 / count)


@pytest.mark.parametrize("kind", BALANCED)
@pytest.mark.parametrize(("shape", "factorization"), PLACES)
def test_a_balanced_start_is_balanced_for_any_widths(kind, shape, factorization):
    factors = kind(init_scale=0.1).factors(problem(shape), factorization, seed=1)
    assert imbalance(factors) < ROUNDING


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("kind", [Orthogonal, Identity])
def test_square_factors_are_balanced(kind, depth):
    factors = kind(init_scale=0.1).factors(
        problem((5, 5)), DeepFactorization(depth), seed=1
    )
    assert imbalance(factors) < ROUNDING


@pytest.mark.parametrize(("shape", "factorization"), DEEP)
def test_orthogonal_is_balanced_exactly_when_no_hidden_width_sticks_out(
    shape, factorization
):
    start = Orthogonal(init_scale=0.1)
    factors = start.factors(problem(shape), factorization, seed=1)
    widths = [shape[1], *(rows for rows, _ in factorization.shapes(shape))]
    inside = all(
        width <= min(before, after)
        for before, width, after in zip(widths, widths[1:], widths[2:], strict=False)
    )
    # Otherwise two different projections meet there, at a distance of size 1.
    assert (imbalance(factors) < ROUNDING) == inside
    assert inside or imbalance(factors) > 0.1


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_orthogonal_square_factors_have_equal_singular_values(depth):
    factorization = DeepFactorization(depth)
    start = Orthogonal(init_scale=0.2)
    factors = start.factors(problem((5, 5)), factorization, seed=3)
    values = np.linalg.svd(factorization.end_to_end(factors), compute_uv=False)
    assert np.allclose(values, 0.2, rtol=ROUNDING)


@pytest.mark.parametrize(("shape", "factorization"), PLACES)
def test_identity_starts_at_a_multiple_of_the_identity(shape, factorization):
    factors = Identity(init_scale=0.2).factors(problem(shape), factorization, seed=3)
    rank = largest_rank(factorization.shapes(shape))
    # The root mean square is over min(rows, cols) values, of which `rank` are there.
    expected = np.eye(*shape) * (0.2 * np.sqrt(min(shape) / rank))
    expected[rank:] = 0
    matrix = factorization.end_to_end(factors)
    assert np.allclose(matrix, expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("kind", BALANCED)
@pytest.mark.parametrize(("shape", "factorization"), PLACES)
def test_balanced_singular_values_are_equal_or_zero(kind, shape, factorization):
    factors = kind(init_scale=0.2).factors(problem(shape), factorization, seed=3)
    rank = largest_rank(factorization.shapes(shape))
    values = np.linalg.svd(factorization.end_to_end(factors), compute_uv=False)
    size = 0.2 * np.sqrt(min(shape) / rank)
    assert np.allclose(values[:rank], size, rtol=ROUNDING)
    assert np.allclose(values[rank:], 0, atol=ROUNDING)


@pytest.mark.parametrize(("shape", "factorization"), DEEP)
def test_aligned_frames_are_the_singular_vectors_of_the_pull(shape, factorization):
    target = problem(shape, count=20)
    pull = -np.asarray(to_dense(target.gradient(np.zeros(shape))))
    left, values, right = np.linalg.svd(pull)
    assert np.diff(values[: min(shape)]).max() < -0.01  # so that they are well defined
    factors = Aligned(init_scale=0.2).factors(target, factorization, seed=3)
    rank = largest_rank(factorization.shapes(shape))
    size = 0.2 * np.sqrt(min(shape) / rank)
    expected = size * left[:, :rank] @ right[:rank]
    matrix = factorization.end_to_end(factors)
    # 1e-10: singular vectors are good to rounding over a gap of 0.01
    assert np.allclose(matrix, expected, rtol=0, atol=1e-10)
    if len(factors) > 1:  # hidden unit k is the k-th strongest direction
        overlap = abs(factors[0] @ right.T)[:rank] / size ** (1 / len(factors))
        assert np.allclose(overlap, np.eye(rank, shape[1]), rtol=0, atol=1e-10)


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_aligned_symmetric_frames_are_the_top_eigenvectors(width):
    # A gradient that is not symmetric: its symmetric part is what moves U.
    target = problem((5, 5), count=20)
    pull = -np.asarray(to_dense(target.gradient(np.zeros((5, 5)))))
    assert abs(pull - pull.T).max() > 0.1
    values, vectors = np.linalg.eigh((pull + pull.T) / 2)
    assert values[0] < 0  # so that largest and largest in size are not the same
    factorization = SymmetricFactorization(width)
    (factor,) = Aligned(init_scale=0.2).factors(target, factorization, seed=3)
    rank = min(width, 5)
    top = vectors[:, ::-1][:, :rank]
    expected = 0.2 * np.sqrt(5 / rank) * top @ top.T
    assert np.allclose(factor @ factor.T, expected, rtol=0, atol=1e-10)
    assert np.linalg.norm(factor[:, rank:]) == 0


def test_aligned_follows_any_objective():
    weights = np.random.default_rng(2).standard_normal((5, 7))
    target = Objective(lambda matrix: (weights * matrix).sum(), (5, 7))
    left, _, right = np.linalg.svd(-weights, full_matrices=False)
    factorization = DeepFactorization(3)
    factors = Aligned(init_scale=0.2).factors(target, factorization, seed=0)
    matrix = factorization.end_to_end(factors)
    assert np.allclose(matrix, 0.2 * left @ right, rtol=0, atol=1e-10)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("of", ["matrix", "factor"])
def test_random_psd_norms_deep(of, depth):
    factorization = DeepFactorization(depth)
    start = RandomPSD(frobenius_norm=0.07, of=of)
    factors = start.factors(problem((5, 5)), factorization, seed=2)
    matrix = factorization.end_to_end(factors)
    assert np.allclose(matrix, matrix.T, rtol=0, atol=ROUNDING)
    assert np.linalg.eigvalsh(matrix)[0] > 0
    assert imbalance(factors) < ROUNDING
    measured = matrix if of == "matrix" else factors[-1]
    assert np.linalg.norm(measured) == pytest.approx(0.07, rel=ROUNDING)


@pytest.mark.parametrize("width", [None, 1, 3, 8])
@pytest.mark.parametrize("of", ["matrix", "factor"])
def test_random_psd_norms_symmetric(of, width):
    start = RandomPSD(frobenius_norm=0.07, of=of)
    (factor,) = start.factors(problem((5, 5)), SymmetricFactorization(width), seed=2)
    measured = factor @ factor.T if of == "matrix" else factor
    assert np.linalg.norm(measured) == pytest.approx(0.07, rel=ROUNDING)


def test_random_psd_of_one_number():
    start = RandomPSD(frobenius_norm=0.07)
    factors = start.factors(problem((1, 1)), DeepFactorization(2), seed=2)
    assert np.allclose(factors, np.sqrt(0.07), rtol=ROUNDING)


@pytest.mark.parametrize(
    ("shape", "factorization"),
    [
        ((5, 7), DeepFactorization(2)),
        ((7, 5), DeepFactorization(1)),
        ((5, 7), DeepFactorization(2, 9)),
        ((5, 5), DeepFactorization(2, 3)),
        ((5, 5), DeepFactorization(3, (5, 5, 4, 5))),
    ],
)
def test_random_psd_needs_a_square_and_full_widths(shape, factorization):
    message = (
        r"^`RandomPSD`: a full-rank p\.s\.d\. start needs a square matrix and full "
        r"widths\. Got factors of shapes .*\. Use Balanced"
    )
    with pytest.raises(SpecError, match=message):
        RandomPSD(frobenius_norm=0.1).factors(problem(shape), factorization, seed=0)


@pytest.mark.parametrize("of", ["both", "", None, 2])
def test_random_psd_norm_is_of_the_matrix_or_the_factor(of):
    message = r'^`RandomPSD\(of\)`: the norm is that of the "matrix" or .*\. Got .*\. '
    with pytest.raises(SpecError, match=message):
        RandomPSD(frobenius_norm=0.1, of=of)


@pytest.mark.parametrize(("shape", "factorization"), DEEP)
def test_spectral_optimum_is_the_best_approximation(shape, factorization):
    matrix = np.random.default_rng(5).standard_normal(shape)
    factors = SpectralOptimum(matrix).factors(problem(shape), factorization, seed=0)
    rank = largest_rank(factorization.shapes(shape))
    values = np.linalg.svd(matrix, compute_uv=False)
    got = factorization.end_to_end(factors)
    # Eckart and Young: the distance is that of the values left out, and no rank-d
    # matrix is nearer.
    distance = np.linalg.norm(matrix - got)
    assert distance == pytest.approx(np.linalg.norm(values[rank:]), abs=ROUNDING)
    assert np.linalg.matrix_rank(got) == rank
    assert imbalance(factors) < ROUNDING


@pytest.mark.parametrize("width", [None, 2, 8])
def test_spectral_optimum_symmetric_is_the_best_approximation(width):
    root = np.random.default_rng(5).standard_normal((5, 4))
    matrix = root @ root.T
    factorization = SymmetricFactorization(width)
    factors = SpectralOptimum(matrix).factors(problem((5, 5)), factorization, seed=0)
    rank = largest_rank(factorization.shapes((5, 5)))
    values = np.linalg.eigvalsh(matrix)[::-1]
    distance = np.linalg.norm(matrix - factorization.end_to_end(factors))
    # the eigenvalue 0 of a matrix of size ten comes out as 1e-15
    assert distance == pytest.approx(np.linalg.norm(values[rank:]), abs=1e-11)


def test_spectral_optimum_has_the_shape_of_the_problem():
    message = (
        r"^`SpectralOptimum\(matrix\)`: the matrix has the problem's shape \(5, 7\)\. "
        r"Got shape \(7, 5\)\. Give a solution"
    )
    with pytest.raises(SpecError, match=message):
        SpectralOptimum(np.ones((7, 5))).factors(
            problem((5, 7)), DeepFactorization(2), seed=0
        )


def test_spectral_optimum_of_a_symmetric_factorization_is_psd():
    message = (
        r"^`SpectralOptimum\(matrix\)`: U U' is positive semidefinite, .*\. "
        r"Got smallest eigenvalue -1\. Use"
    )
    matrix = np.diag([3.0, 2.0, 1.0, 0.0, -1.0])
    with pytest.raises(SpecError, match=message):
        SpectralOptimum(matrix).factors(
            problem((5, 5)), SymmetricFactorization(), seed=0
        )
    # and any matrix will do for independent factors
    SpectralOptimum(matrix).factors(problem((5, 5)), DeepFactorization(2), seed=0)


def test_spectral_optimum_of_a_symmetric_factorization_is_symmetric():
    # Entries that are observed on one side only: a solution whose symmetric part is
    # none.
    matrix = 3.0 * np.eye(5)
    matrix[0, 1] = 1.0
    observed = SensingProblem.from_entries([0, 0], [0, 1], [3.0, 1.0], (5, 5))
    assert observed.value(matrix) == 0
    assert observed.value((matrix + matrix.T) / 2) > 0.1
    message = (
        r"^`SpectralOptimum\(matrix\)`: U U' is symmetric, so the matrix must be\. "
        r"Got an entry that is 1 off its mirror image\. Use .*projected_gradient"
    )
    with pytest.raises(SpecError, match=message):
        SpectralOptimum(matrix).factors(observed, SymmetricFactorization(), seed=0)
    # Independent factors take it as it is, and what is symmetric to rounding is.
    SpectralOptimum(matrix).factors(observed, DeepFactorization(2), seed=0)
    matrix[0, 1] = 1e-9
    (factor,) = SpectralOptimum(matrix).factors(
        observed, SymmetricFactorization(), seed=0
    )
    np.testing.assert_allclose(factor @ factor.T, matrix, atol=1e-8)


@pytest.mark.parametrize(
    "matrix", [np.ones(3), [[1.0, np.nan]], [[np.inf, 1.0]], [["a", "b"]], 3.0]
)
def test_spectral_optimum_is_a_finite_matrix(matrix):
    with pytest.raises(DataError, match=r"^`SpectralOptimum\(matrix\)`: .* Got .*"):
        SpectralOptimum(matrix)


@pytest.mark.parametrize(("shape", "factorization"), PLACES)
def test_given_factors_come_back(shape, factorization):
    rng = np.random.default_rng(6)
    given = tuple(rng.standard_normal(s) for s in factorization.shapes(shape))
    factors = GivenFactors(given).factors(problem(shape), factorization, seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(factors, given, strict=True))
    again = GivenFactors([f.tolist() for f in given])  # any nested numbers will do
    for a, b in zip(
        again.factors(problem(shape), factorization, seed=0), given, strict=True
    ):
        assert a.dtype == np.float64
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    "shapes", [((5, 3), (3, 7)), ((3, 7),), ((3, 7), (5, 3), (5, 5)), ((3, 5), (7, 3))]
)
def test_given_factors_have_the_factorizations_shapes(shapes):
    message = (
        r"^`GivenFactors\(given\)`: this factorization has factors of shapes "
        r"\(\(3, 7\), \(5, 3\)\)\. Got .*\. Order them as they act"
    )
    given = GivenFactors(tuple(np.ones(shape) for shape in shapes))
    with pytest.raises(SpecError, match=message):
        given.factors(problem((5, 7)), DeepFactorization(2, 3), seed=0)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ((np.ones((2, 2)), [[np.nan, 1.0]]), r"GivenFactors\(given\)\[1\]"),
        (([[np.inf]],), r"GivenFactors\(given\)\[0\]"),
        ((np.ones(3),), r"GivenFactors\(given\)\[0\]"),
        (
            np.ones((2, 2)),
            r"GivenFactors\(given\)\[0\]",
        ),  # not in a tuple
    ],
)
def test_given_factors_are_finite_matrices(given, where):
    with pytest.raises(DataError, match=f"^`{where}`: .*Got .*"):
        GivenFactors(given)


SEEDED = {
    "Gaussian": Gaussian(0.1),
    "Orthogonal": Orthogonal(0.1),
    "Balanced": Balanced(0.1),
    "RandomPSD": RandomPSD(0.1),
}
UNSEEDED = {
    "Identity": Identity(0.1),
    "Aligned": Aligned(0.1),
    "SpectralOptimum": SpectralOptimum(np.eye(5)),
    "GivenFactors": GivenFactors((2 * np.eye(5),) * 3),
}


def same_bits(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", [*SEEDED, *UNSEEDED])
def test_the_same_seed_gives_the_same_bits(name):
    start = {**SEEDED, **UNSEEDED}[name]
    first, again, other = (
        start.factors(problem((5, 5)), DeepFactorization(3), seed=seed)
        for seed in (7, 7, 8)
    )
    assert same_bits(first, again)
    assert same_bits(first, other) == (name in UNSEEDED)
    if name in SEEDED:
        assert all(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", SEEDED)
@pytest.mark.parametrize(
    "factorization", [DeepFactorization(3), SymmetricFactorization()]
)
def test_more_measurements_do_not_change_the_numbers(name, factorization):
    few, many = (
        SEEDED[name].factors(problem((5, 5), count=n), factorization, seed=7)
        for n in (3, 21)
    )
    assert same_bits(few, many)


@pytest.mark.parametrize("name", ["Gaussian", "Orthogonal"])
def test_one_more_factor_does_not_change_the_directions_of_the_others(name):
    shallow, deep = (
        SEEDED[name].factors(problem((5, 7)), DeepFactorization(depth), seed=7)
        for depth in (2, 3)
    )
    for before, after in zip(shallow, deep, strict=False):
        unit = before / np.linalg.norm(before)
        assert np.allclose(after / np.linalg.norm(after), unit, rtol=ROUNDING)
    assert not np.allclose(deep[1] / deep[2], 1, rtol=0.1)  # factors differ


@pytest.mark.parametrize("scale", [1e-64, 1e-300])
@pytest.mark.parametrize("kind", [*SCALED, RandomPSD])
@pytest.mark.parametrize(("shape", "factorization"), SQUARE)
def test_extreme_scales_neither_vanish_nor_overflow(kind, shape, factorization, scale):
    if kind is RandomPSD:
        if largest_rank(factorization.shapes(shape)) < 5 and isinstance(
            factorization, DeepFactorization
        ):
            pytest.skip("RandomPSD needs full widths")
        norm = scale
    else:
        norm = scale * np.sqrt(5)
    factors = kind(scale).factors(problem(shape), factorization, seed=1)
    assert all(np.all(np.isfinite(f)) and np.any(f != 0) for f in factors)
    measured = np.linalg.norm(factorization.end_to_end(factors) / norm)
    if kind is Gaussian:
        assert 0.01 < measured < 100  # one draw, of mean square 1
    else:
        # 1e-11: the root of 1e-300 multiplies rounding by log(1e300) = 690
        assert measured == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize(
    "value",
    [
        *(-1.0, 0.0, -0.0, np.nan, np.inf, -np.inf),
        *("0.1", "large", b"1", None, 1j, [0.1], True, np.bool_(True)),
    ],
)
@pytest.mark.parametrize("kind", [*SCALED, RandomPSD])
def test_a_scale_is_a_positive_finite_number(kind, value):
    name = "frobenius_norm" if kind is RandomPSD else "init_scale"
    message = (
        rf"^`{kind.__name__}\({name}\)`: this is a positive, finite number\. "
        r"Got .*\. Give for example 1e-3\.$"
    )
    with pytest.raises(SpecError, match=message):
        kind(value)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(2), np.array(0.5)])
def test_any_positive_number_is_a_scale(value):
    factorization = DeepFactorization(2)
    factors = Balanced(value).factors(problem((5, 5)), factorization, seed=0)
    measured = rms_singular_value(factorization, factors, float(value))
    assert measured == pytest.approx(1, rel=ROUNDING)
