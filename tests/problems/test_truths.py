import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import DataError, SpecError

SHAPES = [(5, 7), (7, 5)]


def spectrum(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_truth_has_its_rank_and_unit_entries(shape):
    truth = problems.gaussian_truth(shape, rank=2, seed=0)
    values = spectrum(truth)
    assert truth.shape == shape
    assert values[2] < 1e-14 * values[0]
    assert values[1] > 1e-2 * values[0]
    # 1e-14: one rescaling.
    assert np.mean(truth**2) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("norm", [1.0, 20.0, 3])
def test_truths_have_the_norm_given(norm):
    for truth in (
        problems.gaussian_truth((5, 7), rank=2, seed=0, norm=norm),
        problems.gaussian_psd_truth(5, rank=2, seed=0, norm=norm),
        np.diag(problems.power_law_spectrum(4, exponent=1.5, norm=norm)),
    ):
        assert np.linalg.norm(truth) == pytest.approx(norm, rel=1e-14)


def test_the_papers_norms_are_the_default():
    arora = problems.gaussian_truth((100, 100), rank=5, seed=0)
    assert np.linalg.norm(arora) == pytest.approx(100.0, rel=1e-13)
    li = problems.gaussian_psd_truth(20, rank=3, seed=0)
    assert np.linalg.norm(li) == pytest.approx(20.0, rel=1e-13)


def test_gaussian_psd_truth_is_psd_of_its_rank():
    truth = problems.gaussian_psd_truth(20, rank=3, seed=0)
    values = np.linalg.eigvalsh(truth)[::-1]
    np.testing.assert_array_equal(truth, truth.T)
    assert values[2] > 1e-2 * values[0]
    assert np.abs(values[3:]).max() < 1e-14 * values[0]


def test_the_factors_of_a_gaussian_truth_are_gaussian():
    # With rank 1 a column is a multiple of U. Of 2000 standard normal numbers the
    # fourth moment is 3 with deviation sqrt(96 / 2000) = 0.22 and the mean 0 with
    # deviation 0.022; uniform numbers would have 1.8, signs 1.
    truths = [problems.gaussian_truth((100, 90), rank=1, seed=s) for s in range(20)]
    factors = np.concatenate([truth[:, 0] / truth[:, 0].std() for truth in truths])
    assert np.mean(factors**4) == pytest.approx(3.0, abs=0.6)
    assert abs(np.mean(factors)) < 0.1


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal_truth_has_the_singular_values_given(shape):
    given = np.array([3.0, 1.0, 0.5])
    truth = problems.orthogonal_truth(shape, singular_values=given, seed=0)
    assert truth.shape == shape
    np.testing.assert_allclose(spectrum(truth)[:3], given, rtol=1e-13)
    assert spectrum(truth)[3:].max() < 1e-14


def test_orthogonal_psd_truth_has_the_eigenvalues_given():
    given = problems.power_law_spectrum(6, exponent=1.5, norm=1.0)
    truth = problems.orthogonal_psd_truth(6, eigenvalues=given, seed=0)
    np.testing.assert_array_equal(truth, truth.T)
    np.testing.assert_allclose(np.linalg.eigvalsh(truth)[::-1], given, rtol=1e-12)


def test_power_law_spectrum_decays_as_it_says():
    values = problems.power_law_spectrum(50, exponent=1.5, norm=2.0)
    ranks = np.arange(1, 51)
    np.testing.assert_allclose(values / values[0], ranks**-1.5, rtol=1e-13)
    equal = problems.power_law_spectrum(4, exponent=0, norm=1.0)
    np.testing.assert_allclose(equal, 0.5, rtol=1e-15)


def test_frames_are_uniform_in_sign():
    # Were the signs of QR's triangle left in, the first entries of both frames would be
    # negative, and their product always positive.
    first = [
        problems.orthogonal_truth((2, 3), singular_values=[1.0], seed=seed)[0, 0] > 0
        for seed in range(200)
    ]
    # Binomial(200, 1/2): deviation 7, and four of them have false-alarm rate 6e-5.
    assert abs(sum(first) - 100) < 28


def test_seeds_change_truths_and_nothing_else_does():
    first = problems.gaussian_truth((5, 7), rank=2, seed=0)
    np.testing.assert_array_equal(
        first, problems.gaussian_truth((5, 7), rank=2, seed=0)
    )
    assert not np.any(first == problems.gaussian_truth((5, 7), rank=2, seed=1))
    one = problems.planted_completion((5, 7), rank=2, num_observed=3, seed=0)
    two = problems.planted_completion((5, 7), rank=2, num_observed=9, seed=0)
    np.testing.assert_array_equal(one.target, two.target)


@pytest.mark.parametrize("rank", [6, 0, -1, 1.5, "two", None, np.nan, np.inf])
def test_ranks_must_fit(rank):
    for name, call in {
        "gaussian_truth": lambda: problems.gaussian_truth((5, 7), rank=rank, seed=0),
        "gaussian_psd_truth": lambda: problems.gaussian_psd_truth(5, rank=rank, seed=0),
        "gaussian_truth ": lambda: problems.planted_completion(
            (7, 5), rank=rank, num_observed=3, seed=0
        ),
    }.items():
        with pytest.raises(
            SpecError,
            match=rf"^`{name.strip()}\(rank\)`: .*in 1...5. Got .*(Lower|Give 1)",
        ):
            call()


@pytest.mark.parametrize("norm", [0, -1.0, np.nan, np.inf, "one"])
def test_norms_are_positive(norm):
    with pytest.raises(
        SpecError,
        match=r"gaussian_truth\(norm\)`: a Frobenius norm.*Got .*leave it out",
    ):
        problems.gaussian_truth((5, 7), rank=2, seed=0, norm=norm)


@pytest.mark.parametrize("exponent", [-1, np.nan, np.inf, "steep", None])
def test_exponents_are_not_negative(exponent):
    rule = r"\(exponent\)`: a power law.*>= 0. Got .*exponent=1.5"
    with pytest.raises(SpecError, match="power_law_entries" + rule):
        problems.power_law_entries((5, 7), num_observed=2, exponent=exponent, seed=0)
    with pytest.raises(SpecError, match="power_law_spectrum" + rule):
        problems.power_law_spectrum(3, exponent=exponent, norm=1.0)


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0, -1.0], np.ones(6)], ids=str)
def test_spectra_descend_and_fit(values):
    rule = r"1...5 numbers >= 0 in descending order. Got .*numpy.sort"
    with pytest.raises(SpecError, match=r"orthogonal_truth\(singular_val.*" + rule):
        problems.orthogonal_truth((5, 7), singular_values=values, seed=0)
    with pytest.raises(SpecError, match=r"orthogonal_psd_truth\(eigenval.*" + rule):
        problems.orthogonal_psd_truth(5, eigenvalues=values, seed=0)


def test_spectra_are_finite():
    with pytest.raises(DataError, match="finite. Got nan at position 0. Remove it"):
        problems.orthogonal_truth((5, 7), singular_values=[np.nan], seed=0)
