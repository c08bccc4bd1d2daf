import io
import zipfile

import numpy as np
import pytest
from scipy.io import savemat

from lowrankflow.errors import DataError, SpecError
from lowrankflow.metrics import unobserved_error
from lowrankflow.problems import indian_pines_problem, load_indian_pines
from lowrankflow.problems.indian_pines import sha256_of
from lowrankflow.problems.published_file import cache_folder
from lowrankflow.simulation import Recipe, build, fingerprint

NAME = "Indian_pines_corrected"
# Not square in any two of its three directions.
IMAGE = np.random.default_rng(0).integers(955, 9605, (4, 6, 5)).astype(np.uint16)


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch, tmp_path):
    """No path and an empty cache, whatever the machine has."""
    monkeypatch.delenv("LOWRANKFLOW_INDIAN_PINES", raising=False)
    monkeypatch.setenv("LOWRANKFLOW_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A tiny image in the place of the real one."""
    path = tmp_path / f"{NAME}.npy"
    np.save(path, np.asfortranarray(IMAGE))
    known = {"sha256": sha256_of(IMAGE)}
    monkeypatch.setattr(load_indian_pines, "__kwdefaults__", known)
    return path


def test_both_kinds_of_file_are_the_same_image(tmp_path, scene):
    found = load_indian_pines(scene)
    assert np.array_equal(found.image, IMAGE)
    assert found.matrix.shape == (24, 5)
    # Pixel (1, 2) is row 1 * 6 + 2.
    assert np.array_equal(found.matrix[8], IMAGE[1, 2])
    assert "10.4231/R7RX991C" in found.licence
    matlab = tmp_path / "other.mat"
    savemat(matlab, {"indian_pines_corrected": IMAGE})
    again = load_indian_pines(matlab)
    assert np.array_equal(again.image, IMAGE)
    assert again.fingerprint == found.fingerprint == f"sha256:{sha256_of(IMAGE)}"


def test_a_path_comes_before_the_variable(tmp_path, scene, monkeypatch):
    monkeypatch.setenv("LOWRANKFLOW_INDIAN_PINES", str(tmp_path / "no"))
    assert load_indian_pines(tmp_path).image.shape == IMAGE.shape
    with pytest.raises(DataError, match=r"`LOWRANKFLOW_INDIAN_PINES`.*nothing there"):
        load_indian_pines()


def test_another_image(scene):
    changed = IMAGE.copy()
    changed[0, 0, 0] += 1
    np.save(scene, changed)
    with pytest.raises(DataError, match=r"are those of Indian Pines, with sha256.*Got"):
        load_indian_pines(scene)
    assert load_indian_pines(scene, sha256=None).image[0, 0, 0] == changed[0, 0, 0]


def of_npy(array):
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        of_npy(IMAGE)[:-7],
        of_npy(IMAGE[0]),
        of_npy(IMAGE.astype(float)),
        of_npy(-IMAGE.astype(int)),
        of_npy(np.array([{}, 1], object)),
        b"MATLAB 5.0 and no more",
    ],
    ids=["empty", "cut", "flat", "floats", "negative", "objects", "matlab"],
)
def test_a_damaged_file_is_named(scene, content):
    scene.write_bytes(content)
    with pytest.raises(DataError, match=r"rows x cols x bands.*Got .*\. Get the file"):
        load_indian_pines(scene)


def stub_of_pip(tmp_path, monkeypatch, program):
    """`python -m pip` runs this program; its last two arguments: folder, wheel."""
    package = tmp_path / "stub" / "pip"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


def test_the_wheel_is_named_and_other_content_is_refused(tmp_path, monkeypatch):
    wheel = tmp_path / "made.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr(f"tensorly/datasets/data/{NAME}.npy", of_npy(IMAGE))
    program = (
        "import shutil, sys\nassert sys.argv[-1] == 'tensorly==0.10.0'\n"
        f"shutil.copy({str(wheel)!r}, sys.argv[-2])\n"
    )
    stub_of_pip(tmp_path, monkeypatch, program)
    with pytest.raises(DataError, match="other content, with sha256") as caught:
        load_indian_pines()
    assert "ehu.eus" in caught.value.fix
    left = [p.name for p in cache_folder().rglob("*") if p.is_file()]
    assert [name for name in left if not name.endswith(".lock")] == []


def test_observed_held_out_and_unseen_divide_the_image(scene):
    matrix = load_indian_pines(scene).matrix
    whole = indian_pines_problem(fraction_observed=0.5, seed=1, path=scene)
    assert whole.shape == (24, 5)
    assert whole.num_measurements == 60
    assert whole.held_out is None
    assert np.array_equal(whole.target, matrix)
    problem = indian_pines_problem(
        fraction_observed=0.5, seed=1, held_out=0.1, path=scene
    )
    assert problem.num_measurements == 54
    parts = [problem, problem.held_out]
    seen = [set(zip(*indices(part), strict=True)) for part in parts]
    assert [len(one) for one in seen] == [54, 6]
    assert seen[0] | seen[1] == set(zip(*indices(whole), strict=True))
    assert not seen[0] & seen[1]
    for part in parts:
        assert np.array_equal(part.measurements, matrix[indices(part)])
    # What is right where nothing was seen has no error there.
    guess = np.where(mask(whole), 0.0, matrix)
    assert unobserved_error(problem, guess) == 0
    larger = indian_pines_problem(fraction_observed=0.7, seed=1, path=scene)
    assert set(zip(*indices(whole), strict=True)) < set(
        zip(*indices(larger), strict=True)
    )


def indices(part):
    operator = part.operator
    return np.asarray(operator.row_index), np.asarray(operator.col_index)


def mask(problem):
    seen = np.zeros(problem.shape, bool)
    seen[indices(problem)] = True
    return seen


def test_a_window_is_the_upper_left_of_the_image(scene):
    problem = indian_pines_problem(
        fraction_observed=1.0, seed=0, window=(2, 3), path=scene
    )
    assert np.array_equal(problem.target, IMAGE[:2, :3].reshape(6, 5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fraction_observed": 0.0}, r"in \(0, 1\]\. Got 0\.0\. Give for example 0\.1"),
        ({"fraction_observed": 1.1}, r"in \(0, 1\]"),
        ({"fraction_observed": "x"}, r"in \(0, 1\]"),
        ({"window": (5, 6)}, r"window.*there are 4 .*Got 5"),
        ({"window": (4, 7)}, r"window.*there are 6 .*Got 7"),
        ({"window": (4,)}, r"window"),
        ({"held_out": 1.0}, r"hold_out\(fraction\)"),
        ({"seed": -1}, r"a seed is an integer >= 0"),
    ],
)
def test_what_is_out_of_range(scene, arguments, message):
    given = {"fraction_observed": 0.5, "seed": 0, "path": scene}
    with pytest.raises((SpecError, DataError), match=message):
        indian_pines_problem(**{**given, **arguments})


def test_the_recipe_builds_the_same_problem(scene):
    arguments = {"fraction_observed": 0.4, "seed": 2, "held_out": 0.2}
    recipe = Recipe("indian_pines", {**arguments, "path": str(scene)})
    direct = indian_pines_problem(**arguments, path=scene)
    assert fingerprint(build(recipe)) == fingerprint(direct)


def test_the_real_image(monkeypatch):
    """From the machine's own cache or a download into it."""
    monkeypatch.delenv("LOWRANKFLOW_CACHE")
    try:
        pines = load_indian_pines()
    except DataError as error:
        pytest.skip(f"Indian Pines cannot be had: {error.got}")
    assert pines.image.shape == (145, 145, 200)
    assert (pines.image.min(), pines.image.max()) == (955, 9604)
    matrix = pines.matrix
    norm = np.linalg.norm(matrix)
    assert np.linalg.norm(matrix - matrix.mean()) / norm == pytest.approx(0.5147, 1e-3)
    by_band = np.linalg.norm(matrix - matrix.mean(axis=0)) / norm
    assert by_band == pytest.approx(0.1430, 1e-3)
