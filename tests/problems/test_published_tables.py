import gzip
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    load_air_quality,
    load_fluorescence,
    load_il2_response,
    load_picture,
    load_serology,
)
from lowrankflow.problems.air_quality import AIR_QUALITY_SHA256
from lowrankflow.problems.pictures import PICTURES_SHA256
from lowrankflow.problems.published_file import cache_folder
from lowrankflow.problems.published_table import product_labels, sha256_of_numbers

VARIABLES = ("SEROLOGY", "IL2", "FLUORESCENCE", "AIR_QUALITY")
RANDOM = np.random.default_rng(0)
SEROLOGY = RANDOM.standard_normal((5, 6, 11))
IL2 = RANDOM.random((13, 4, 12, 8))
IL2[3, 3] = np.nan
FLUORESCENCE = RANDOM.uniform(1, 9, (64, 12, 10, 60)).astype(np.float32)
FLUORESCENCE[12, 10, 9, 0] = 0  # measured
FLUORESCENCE[2, 1, 4, 7] = 0  # not measured
ARRAYS = {
    "COVID19_data.npy": (load_serology, SEROLOGY, "serology"),
    "IL2_Response_Tensor.npy": (load_il2_response, IL2, "responses"),
    "Kinetic.npy": (load_fluorescence, FLUORESCENCE, "fluorescence"),
}


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch, tmp_path):
    """No path and an empty cache, whatever the machine has."""
    for variable in VARIABLES:
        monkeypatch.delenv(f"LOWRANKFLOW_{variable}", raising=False)
    monkeypatch.setenv("LOWRANKFLOW_CACHE", str(tmp_path / "cache"))


def saved(folder, name, array):
    path = folder / name
    np.save(path, np.asfortranarray(array))
    return path


def hours(days=2, start=1):
    """A table of hours: the site's are 100 day + hour, the background's half of it."""
    lines = ["date,no2,bg.no2,ws"]
    for day in range(start, start + days):
        for hour in range(24):
            value = 100.0 * day + hour
            gap = "" if (day, hour) == (start, 3) else str(value / 2)
            lines.append(f"2001-01-{day:02d} {hour:02d}:00:00,{value},{gap},1.5")
    return "\n".join(lines) + "\n"


def test_serology_is_samples_by_pairs(tmp_path):
    table = load_serology(saved(tmp_path, "COVID19_data.npy", SEROLOGY), sha256=None)
    assert table.values.shape == (5, 66)
    assert table.values[4, 1 * 11 + 2] == SEROLOGY[4, 1, 2]
    assert table.col_labels[1 * 11 + 2] == "RBD, IgG3"
    assert table.row_labels[4] == "sample 5"
    assert table.fraction_missing == 0
    assert table.fingerprint == f"sha256:{sha256_of_numbers(SEROLOGY)}"
    assert "10.4231" not in table.licence


def test_il2_is_doses_by_answers(tmp_path):
    path = saved(tmp_path, "IL2_Response_Tensor.npy", IL2)
    table = load_il2_response(path, sha256=None)
    assert table.values.shape == (156, 32)
    assert table.values[5 * 12 + 7, 2 * 8 + 1] == IL2[5, 2, 7, 1]
    assert table.row_labels[5 * 12].startswith("R38Q/H16N (Biv), 84 nM")
    assert table.col_labels[2 * 8 + 1] == "1 h, Treg"
    assert np.array_equal(np.argwhere(~table.is_measured)[0], [36, 24])
    assert table.fraction_missing == pytest.approx(96 / IL2.size)


def test_fluorescence_is_spectra_and_its_zeros_are_gaps(tmp_path):
    table = load_fluorescence(saved(tmp_path, "Kinetic.npy", FLUORESCENCE), sha256=None)
    assert table.values.shape == (3840, 120)
    assert table.values[9 * 60 + 11, 3 * 10 + 2] == FLUORESCENCE[9, 3, 2, 11]
    assert table.row_labels[9 * 60 + 11] == "experiment 10, 4.00 min"
    assert table.col_labels[3 * 10 + 2] == "494.5 nm out, 374 nm in"
    assert table.values[12 * 60, 10 * 10 + 9] == 0
    missing = np.argwhere(~table.is_measured)
    assert np.array_equal(missing, [[2 * 60 + 7, 1 * 10 + 4]])


def test_air_quality_is_days_by_hours(tmp_path):
    plain = tmp_path / "aq_data.csv"
    plain.write_text(hours())
    table = load_air_quality(plain, sha256=None)
    assert table.values.shape == (2, 48)
    assert table.values[1, 5] == 205
    assert table.values[1, 24 + 5] == 102.5
    assert np.array_equal(np.argwhere(~table.is_measured), [[0, 27]])
    assert table.row_labels == ("2001-01-01", "2001-01-02")
    assert table.col_labels[27] == "background 03:00"
    packed = tmp_path / "aq_data.csv.gz"
    packed.write_bytes(gzip.compress(hours().encode()))
    again = load_air_quality(packed, sha256=None)
    assert again.fingerprint == table.fingerprint
    assert np.array_equal(again.values, table.values, equal_nan=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "date,no2\n2001-01-01 00:00:00,1\n",
        hours().replace(" 07:00", " 08:00"),
        hours().rpartition("2001")[0],
        hours() + hours(),
        hours().replace("105.0", "x"),
    ],
    ids=["empty", "a column less", "an hour twice", "cut", "days twice", "a word"],
)
def test_hours_that_are_no_whole_days(tmp_path, text):
    path = tmp_path / "aq_data.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"every hour of whole days.*Get the file"):
        load_air_quality(path, sha256=None)


@pytest.mark.parametrize("name", ARRAYS)
def test_other_numbers_are_refused(tmp_path, name):
    load, array, what = ARRAYS[name]
    saved(tmp_path, name, array)
    with pytest.raises(DataError, match=rf"{what}.* as published, with sha256.*Got"):
        load(tmp_path)
    saved(tmp_path, name, array[:, :3])
    with pytest.raises(DataError, match=r"the array is .* x .*Got shape"):
        load(tmp_path, sha256=None)
    (tmp_path / name).write_bytes(b"no array")
    with pytest.raises(DataError, match=r"a \.npy of numbers with . axes"):
        load(tmp_path, sha256=None)


def test_other_hours_are_refused(tmp_path):
    (tmp_path / "aq_data.csv").write_text(hours())
    with pytest.raises(DataError, match=f"with sha256 {AIR_QUALITY_SHA256}"):
        load_air_quality(tmp_path)


def wheel_of(tmp_path, monkeypatch, member, content):
    """`python -m pip` brings a wheel with this one file; what was asked is kept."""
    wheel = tmp_path / "made.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr(member, content)
    package = tmp_path / "stub" / "pip"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "import pathlib, shutil, sys\n"
        f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text(sys.argv[-1])\n"
        f"shutil.copy({str(wheel)!r}, sys.argv[-2])\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


@pytest.mark.parametrize("name", ARRAYS)
def test_other_numbers_in_the_wheel_are_refused(tmp_path, monkeypatch, name):
    load, array, _ = ARRAYS[name]
    held = io.BytesIO()
    np.save(held, array)
    member = f"tensorly/datasets/data/{name}"
    wheel_of(tmp_path, monkeypatch, member, held.getvalue())
    with pytest.raises(DataError, match="other content, with sha256"):
        load()
    assert (tmp_path / "asked").read_text() == "tensorly==0.10.0"
    left = [p.name for p in cache_folder().rglob("*") if p.is_file()]
    assert [name for name in left if not name.endswith(".lock")] == []


def test_air_quality_out_of_a_wheel_is_kept(tmp_path, monkeypatch):
    content = gzip.compress(hours().encode())
    wheel_of(tmp_path, monkeypatch, "aqeval/data/aq_data.csv.gz", content)
    with pytest.raises(DataError, match="other content, with sha256"):
        load_air_quality()
    assert (tmp_path / "asked").read_text() == "aqeval==0.7.3"
    found = load_air_quality.__globals__["hashlib"].sha256(hours().encode())
    monkeypatch.setattr(
        "lowrankflow.problems.air_quality.AIR_QUALITY_SHA256", found.hexdigest()
    )
    table = load_air_quality(sha256=found.hexdigest())
    assert table.values.shape == (2, 48)
    assert (cache_folder() / "air-quality" / "aq_data.csv.gz").read_bytes() == content


def test_a_picture_is_grey(tmp_path, monkeypatch):
    colours = RANDOM.integers(0, 256, (3, 4, 3)).astype(np.uint8)
    path = tmp_path / "china.jpg"
    Image.fromarray(colours).save(path, format="png")  # what it holds decides
    with pytest.raises(DataError, match=r"the photograph china\.jpg, with sha256"):
        load_picture("china", path)
    content = path.read_bytes()
    found = load_air_quality.__globals__["hashlib"].sha256(content).hexdigest()
    monkeypatch.setitem(PICTURES_SHA256, "china", found)
    table = load_picture("china", tmp_path)
    assert table.values == pytest.approx(colours @ np.array([0.299, 0.587, 0.114]))
    assert (table.row_labels[2], table.col_labels[3]) == ("line 3", "pixel 4")
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="the file is a picture"):
        load_picture("china", path)
    with pytest.raises(SpecError, match="china and flower"):
        load_picture("cat")


def test_labels_of_axes_that_became_one():
    assert product_labels(["a", "b"], ["c", "d"]) == ("a, c", "a, d", "b, c", "b, d")


def test_the_real_pictures():
    for name, mean in (("china", 144.7), ("flower", 66.2)):
        table = load_picture(name)
        assert table.values.shape == (427, 640)
        assert table.values.mean() == pytest.approx(mean, rel=0.01)


@pytest.mark.parametrize(
    ("load", "shape", "missing"),
    [
        (load_serology, (438, 66), 0),
        (load_il2_response, (156, 32), 192),
        (load_fluorescence, (3840, 120), 1754),
        (load_air_quality, (1095, 48), 3737),
    ],
)
def test_the_real_tables(monkeypatch, load, shape, missing):
    """From the machine's own cache or a download into it."""
    monkeypatch.delenv("LOWRANKFLOW_CACHE")
    try:
        table = load()
    except DataError as error:
        pytest.skip(f"the table cannot be had: {error.got}")
    assert table.values.shape == shape
    assert (~table.is_measured).sum() == missing
    for labels, size in zip((table.row_labels, table.col_labels), shape, strict=True):
        assert len(set(labels)) == len(labels) == size
