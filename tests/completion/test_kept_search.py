"""Finished candidates are kept; a search that was killed goes on from them."""

import dataclasses

import numpy as np
import pytest

from lowrankflow.completion import MatrixCompleter, forget_search, num_kept
from lowrankflow.errors import DataError


class KilledError(Exception):
    """What a process would not live to see."""


def table(seed=0):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 30))
    matrix += 0.1 * rng.normal(size=matrix.shape)
    matrix[rng.uniform(size=matrix.shape) < 0.5] = np.nan
    return matrix


def killed_at(done):
    def callback(progress):
        if progress.done > done:
            raise KilledError

    return callback


def sentences(completer):
    return [one.sentence.rpartition(",")[0] for one in completer.comparison_]


def same(first, second):
    assert np.array_equal(first.complete(), second.complete())
    assert sentences(first) == sentences(second)
    for one, other in zip(first.path_, second.path_, strict=True):
        untimed = (dataclasses.replace(point, seconds=0) for point in (one, other))
        assert len({repr(point) for point in untimed}) == 1


@pytest.mark.parametrize("done", [0.2, 0.7])
def test_a_killed_search_finds_what_it_would_have_found(tmp_path, done):
    folder = tmp_path / "new" / "search"
    with pytest.raises(KilledError):
        MatrixCompleter().fit(table(), callback=killed_at(done), checkpoint=folder)
    kept = num_kept(folder)
    assert kept > 0
    whole = MatrixCompleter().fit(table())
    messages = []
    continued = MatrixCompleter().fit(
        table(),
        callback=lambda progress: messages.append(progress.message),
        checkpoint=folder,
    )
    same(whole, continued)
    assert num_kept(folder) > kept
    # All of it is there now, and nothing is computed.
    again = MatrixCompleter().fit(table(), checkpoint=str(folder))
    same(whole, again)


@pytest.mark.parametrize(
    ("change", "matrix"), [({"max_rank": 2}, table()), ({}, table(seed=1))]
)
def test_another_search_does_not_go_on_from_it(tmp_path, change, matrix):
    few = {"method": ("effects", "als")}
    MatrixCompleter(**few).fit(table(), checkpoint=tmp_path)
    with_rest = MatrixCompleter(**few, **change).fit(matrix, checkpoint=tmp_path)
    same(MatrixCompleter(**few, **change).fit(matrix), with_rest)


def test_how_the_model_is_used_does_not_matter(tmp_path):
    few = {"method": ("effects", "als")}
    MatrixCompleter(**few).fit(table(), checkpoint=tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    MatrixCompleter(**few, clip=(-1, 1), refit=False).fit(table(), checkpoint=tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    del before["search.json"], after["search.json"]
    assert before == after


def test_what_is_cut_off_or_of_another_candidate_is_made_again(tmp_path):
    few = {"method": ("effects", "als", "soft-impute")}
    whole = MatrixCompleter(**few).fit(table(), checkpoint=tmp_path)
    first, second, *_ = sorted(tmp_path.glob("*.npz"))
    first.write_bytes(first.read_bytes()[:-100])
    second.write_bytes((tmp_path / sorted(tmp_path.glob("*.npz"))[-1]).read_bytes())
    same(whole, MatrixCompleter(**few).fit(table(), checkpoint=tmp_path))


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(DataError, match="it is new, or has the candidates"):
        MatrixCompleter(method="als").fit(table(), checkpoint=tmp_path)
    forget_search(tmp_path)
    assert (tmp_path / "diary.txt").read_text() == "mine"


def test_only_candidates_are_removed(tmp_path):
    MatrixCompleter(method="als").fit(table(), checkpoint=tmp_path / "s")
    (tmp_path / "s" / "diary.txt").write_text("mine")
    forget_search(tmp_path / "s")
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["diary.txt"]


def test_a_full_disk_is_said_and_loses_no_search(tmp_path, monkeypatch):
    def full(path, content):
        if path.suffix == ".npz":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("lowrankflow.completion.kept_search.write_whole", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        found = MatrixCompleter(method="als").fit(table(), checkpoint=tmp_path)
    same(found, MatrixCompleter(method="als").fit(table()))
