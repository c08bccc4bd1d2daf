import os
import sys

import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    load_ratings,
    official_test_set,
    ratings_problem,
    to_dense,
)
from lowrankflow.problems.published_file import cache_folder
from lowrankflow.problems.ratings_file import HEADER, RATINGS_FILE, md5_of

# Five users and four items; the labels count from one and skip, and users 2 and 9 have
# most ratings.
ROWS = [
    (2, 7, 3, 881250949),
    (9, 1, 5, 891717742),
    (2, 1, 4, 878887116),
    (4, 3, 1, 880606923),
    (9, 3, 2, 886397596),
    (2, 3, 5, 884182806),
    (5, 7, 4, 881171488),
    (9, 7, 1, 891628467),
    (7, 12, 3, 886324817),
    (2, 12, 2, 883603013),
]
BODY = "".join("\t".join(map(str, row)) + "\n" for row in ROWS).encode()


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch, tmp_path):
    """No path and an empty cache, whatever the machine has."""
    monkeypatch.delenv("LOWRANKFLOW_ML100K", raising=False)
    monkeypatch.setenv("LOWRANKFLOW_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A tiny file in the place of the real one."""
    path = tmp_path / "u.data"
    path.write_bytes(BODY)
    monkeypatch.setattr(
        load_ratings, "__kwdefaults__", {"md5": md5_of(BODY)}, raising=True
    )
    return path


def contents(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_the_official_form_and_the_one_with_a_header_are_the_same(tmp_path, table):
    headed = tmp_path / "ml-100k.inter"
    headed.write_bytes(HEADER + b"\n" + BODY)
    windows = tmp_path / "windows.data"
    windows.write_bytes(BODY.replace(b"\n", b"\r\n"))
    ratings = load_ratings(table)
    assert ratings.shape == (5, 4)
    assert ratings.num_ratings == 10
    assert ratings.user_labels.tolist() == [2, 4, 5, 7, 9]
    assert ratings.item_labels.tolist() == [1, 3, 7, 12]
    assert ratings.users[:3].tolist() == [0, 4, 0]
    assert ratings.items[:3].tolist() == [2, 0, 0]
    assert ratings.values[:3].tolist() == [3, 5, 4]
    assert ratings.timestamps[0] == 881250949
    assert ratings.fingerprint == f"md5:{md5_of(BODY)}"
    assert "research" in ratings.licence
    for other in (headed, windows):
        again = load_ratings(other)
        assert again.fingerprint == ratings.fingerprint
        assert np.array_equal(again.values, ratings.values)


def test_a_path_comes_before_the_variable_and_a_folder_is_looked_into(
    tmp_path, table, monkeypatch
):
    (tmp_path / "data" / "ml-100k").mkdir(parents=True)
    other = tmp_path / "data" / "ml-100k" / "u.data"
    other.write_bytes(BODY)
    assert RATINGS_FILE.path(tmp_path / "data") == other
    monkeypatch.setenv("LOWRANKFLOW_ML100K", str(tmp_path / "data"))
    assert RATINGS_FILE.path() == other
    assert RATINGS_FILE.path(table) == table


def test_a_path_without_the_file(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="nothing there"):
        load_ratings(tmp_path / "no")
    monkeypatch.setenv("LOWRANKFLOW_ML100K", str(tmp_path))
    with pytest.raises(DataError, match=r"`LOWRANKFLOW_ML100K`.*a folder without"):
        load_ratings()


def test_another_md5(table):
    table.write_bytes(BODY[:-26])
    with pytest.raises(DataError, match=r"with md5 .* and 9 rows .*md5=None"):
        load_ratings(table)
    assert load_ratings(table, md5=None).num_ratings == 9


@pytest.mark.parametrize(
    "line", [b"2\t7\t3", b"2 7 3 881250949", b"2\tx\t3\t0", b"2\t7\tnan\t0", b""]
)
@pytest.mark.parametrize(("header", "number"), [(b"", 4), (HEADER + b"\n", 5)])
def test_a_malformed_line_is_named(table, line, header, number):
    lines = BODY.split(b"\n")
    lines[3] = line
    table.write_bytes(header + b"\n".join(lines))
    with pytest.raises(DataError, match=rf"with tabs between.* on line {number} of"):
        load_ratings(table)


def test_an_unreadable_file(table):
    table.chmod(0)
    if os.access(table, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(DataError, match="can be read"):
        load_ratings(table)


def stub_of_pip(tmp_path, monkeypatch, program):
    """`python -m pip` runs this program; its last two arguments: folder, wheel."""
    package = tmp_path / "stub" / "pip"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_a_download_that_is_killed_leaves_nothing(tmp_path, monkeypatch):
    program = (
        "import os, signal, sys\n"
        "half = os.path.join(sys.argv[-2], 'recbole-1.2.1-py3-none-any.whl')\n"
        "open(half, 'wb').write(b'PK\\x03\\x04 half a wheel')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    stub_of_pip(tmp_path, monkeypatch, program)
    with pytest.raises(DataError, match=r"ended by signal 9.*LOWRANKFLOW_ML100K"):
        load_ratings()
    assert [n for n in contents(cache_folder()) if not n.endswith(".lock")] == []


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys\nsys.exit('No matching distribution')", "No matching distri"),
        ("pass", "no wheel with that file"),
        (
            "import sys\nopen(sys.argv[-2] + '/a.whl', 'wb').write(b'PK half')",
            "no wheel with that file",
        ),
        (
            "import sys, zipfile\n"
            "with zipfile.ZipFile(sys.argv[-2] + '/a.whl', 'w') as wheel:\n"
            "    wheel.writestr('recbole/dataset_example/ml-100k/ml-100k.inter',\n"
            "                   b'user_id:token\\n1\\t2\\t3\\t4\\n')",
            "other content, with md5",
        ),
    ],
)
def test_a_download_that_goes_wrong_leaves_nothing(
    tmp_path, monkeypatch, program, said
):
    stub_of_pip(tmp_path, monkeypatch, program)
    with pytest.raises(DataError, match=said) as caught:
        load_ratings()
    assert "grouplens.org" in caught.value.fix
    assert [n for n in contents(cache_folder()) if not n.endswith(".lock")] == []


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOWRANKFLOW_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cache folder.*LOWRANKFLOW_CACHE"):
        load_ratings()


def test_observed_and_held_out_divide_the_ratings(table):
    problem = ratings_problem(num_observed=6, seed=1, path=table)
    assert problem.shape == (5, 4)
    assert problem.num_measurements == 6
    assert problem.target is None
    assert problem.held_out is not None
    assert problem.held_out.operator.num_measurements == 4
    together = np.asarray(
        to_dense(problem.operator.adjoint(problem.measurements))
    ) + np.asarray(
        to_dense(problem.held_out.operator.adjoint(problem.held_out.measurements))
    )
    ratings = load_ratings(table)
    expected = np.zeros((5, 4))
    expected[ratings.users, ratings.items] = ratings.values
    assert np.array_equal(together, expected)
    flat = problem.operator.row_index * 4 + problem.operator.col_index
    assert np.all(np.diff(flat) > 0)
    other = ratings_problem(num_observed=6, seed=2, path=table)
    assert not np.array_equal(other.measurements, problem.measurements)
    larger = ratings_problem(num_observed=8, seed=1, path=table)
    assert set(flat) < set(larger.operator.row_index * 4 + larger.operator.col_index)


def test_all_observed_holds_nothing_out(table):
    problem = ratings_problem(seed=0, path=table)
    assert problem.num_measurements == 10
    assert problem.held_out is None


def test_the_densest_cut_keeps_the_order(table):
    problem = ratings_problem(seed=0, num_users=2, num_items=3, path=table)
    # Users 2 and 9; items 3 and 7 have three ratings, 1 and 12 two, the lower first.
    assert problem.shape == (2, 3)
    dense = np.asarray(to_dense(problem.operator.adjoint(problem.measurements)))
    assert dense.tolist() == [[4, 5, 3], [5, 2, 1]]
    first = ratings_problem(seed=0, num_users=2, num_items=3, cut="first", path=table)
    dense = np.asarray(to_dense(first.operator.adjoint(first.measurements)))
    assert dense.tolist() == [[4, 5, 3], [0, 1, 0]]


def test_some_of_every_user_are_held_out(table):
    problem = ratings_problem(num_held_out_per_user=2, seed=0, path=table)
    assert problem.held_out is not None
    rows = problem.held_out.operator.row_index
    assert np.bincount(rows, minlength=5).tolist() == [2, 0, 0, 0, 2]


def test_a_centred_problem_has_observed_mean_zero(table):
    plain = ratings_problem(num_observed=6, seed=1, path=table)
    centred = ratings_problem(num_observed=6, seed=1, path=table, center="mean")
    mean = plain.measurements.mean()
    assert np.allclose(centred.measurements, plain.measurements - mean, atol=1e-15)
    assert plain.held_out is not None
    assert centred.held_out is not None
    shifted = plain.held_out.measurements - mean
    assert np.allclose(centred.held_out.measurements, shifted, atol=1e-15)


def test_splits_follow_the_order_of_the_rows(table):
    ratings = load_ratings(table)
    assert np.flatnonzero(official_test_set(ratings, "u1")).tolist() == [0, 1]
    assert np.flatnonzero(official_test_set(ratings, "u5")).tolist() == [8, 9]
    assert official_test_set(ratings, "ua").all()  # no user has more than ten
    assert not official_test_set(ratings, "ub").any()
    problem = ratings_problem(split="u2", seed=0, path=table)
    assert problem.held_out is not None
    assert problem.held_out.measurements.tolist() == [4, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_observed": 3, "split": "u1"}, "divided in one way"),
        ({"split": "u6"}, "one of u1, u2"),
        ({"split": "ua"}, "all held out"),
        ({"num_observed": 11}, "there are 10 entries"),
        ({"num_observed": 0}, "integer >= 1"),
        ({"num_users": 6}, "num_users"),
        ({"num_items": 1.5}, "num_items"),
        ({"num_held_out_per_user": -1}, "num_held_out_per_user"),
        ({"cut": "dense"}, '"densest" or "first"'),
        ({"center": True}, '"none" or "mean"'),
        ({"num_observed": 3, "seed": -1}, "a seed is an integer"),
        ({"num_users": 1, "num_items": 1, "cut": "first", "split": "u2"}, "observed"),
    ],
)
def test_what_cannot_be_divided(table, arguments, message):
    with pytest.raises(SpecError, match=message):
        ratings_problem(**{"seed": 0, "path": table, **arguments})


@pytest.fixture
def movielens(monkeypatch):
    """The real ratings, from the machine's own cache or a download into it."""
    monkeypatch.delenv("LOWRANKFLOW_CACHE")
    try:
        return load_ratings()
    except DataError as error:
        pytest.skip(f"MovieLens 100K cannot be had: {error.got}")


def test_the_real_ratings(movielens):
    assert movielens.num_ratings == 100_000
    assert movielens.shape == (943, 1682)
    assert movielens.user_labels.tolist() == list(range(1, 944))
    assert movielens.item_labels.tolist() == list(range(1, 1683))
    # 3.52986: the mean that the code of arora2019 notes
    assert movielens.values.mean() == pytest.approx(3.52986, abs=1e-12)
    assert set(np.unique(movielens.values)) == {1.0, 2.0, 3.0, 4.0, 5.0}
    # Users in the published test sets u1.test to u5.test.
    users = [
        np.unique(movielens.users[official_test_set(movielens, f"u{k}")]).size
        for k in range(1, 6)
    ]
    assert users == [459, 653, 869, 923, 927]
    for split in ("ua", "ub"):
        held_out = official_test_set(movielens, split)
        assert np.bincount(movielens.users[held_out]).tolist() == [10] * 943


def test_the_problem_of_the_paper(movielens):
    problem = ratings_problem(num_observed=10_000, seed=0)
    assert problem.shape == (943, 1682)
    assert problem.num_measurements == 10_000
    assert problem.held_out is not None
    assert problem.held_out.operator.num_measurements == 90_000
    # The notebook of arora2019 prints 13.728 for W near 0. The standard deviation
    # between random sets is 0.0077; four of them are left.
    square = float((problem.held_out.measurements**2).mean())
    assert square == pytest.approx(13.728, abs=0.031)
    quick = ratings_problem(num_observed=5_000, num_users=200, num_items=300, seed=0)
    assert quick.shape == (200, 300)
    assert quick.held_out is not None
    assert quick.held_out.operator.num_measurements == 29_005 - 5_000
