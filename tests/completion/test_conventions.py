"""scikit-learn's conventions, and every exception from them with its reason."""

import pickle

import numpy as np
import pandas as pd
import pytest
from half_empty import planted
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from lowrankflow.completion import MatrixCompleter

_PREDICTS = (
    "predict(X) of a table gives its cells, as many columns as X has, where the check "
    "expects one number for each row: a completed table has one for each cell"
)
EXCEPTIONS = {
    "check_estimator_sparse_array": _PREDICTS,
    "check_estimator_sparse_matrix": _PREDICTS,
}


@parametrize_with_checks(
    [MatrixCompleter()], expected_failed_checks=lambda _: EXCEPTIONS
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn(estimator, check):
    check(estimator)


def test_an_exception_is_one():
    """Both checks that are expected to fail do, for the reason given and no other."""
    from scipy import sparse

    dense = np.zeros((12, 5))
    dense[::2] = 1.0
    table = sparse.csr_array(dense)
    found = MatrixCompleter().fit(table).predict(table)
    assert found.shape == (12, 5)


def test_parameters_are_kept_as_given():
    given = {"method": ("als", "effects"), "max_rank": 3, "clip": (0, 1)}
    completer = MatrixCompleter(**given)
    assert {name: completer.get_params()[name] for name in given} == given
    assert clone(completer).get_params() == completer.get_params()


def test_pickled_completer_answers_alike():
    _, table = planted(seed=1)
    completer = MatrixCompleter(method="greedy path", max_rank=4).fit(table)
    again = pickle.loads(pickle.dumps(completer))
    np.testing.assert_array_equal(again.complete(), completer.complete())
    np.testing.assert_array_equal(again.transform(table), completer.transform(table))


def test_data_frames_keep_their_names():
    _, table = planted(shape=(30, 5), seed=2)
    frame = pd.DataFrame(
        table, columns=list("abcde"), index=[f"r{i}" for i in range(30)]
    )
    completer = MatrixCompleter(method="effects").set_output(transform="pandas")
    completed = completer.fit_transform(frame)
    assert list(completed.columns) == list("abcde")
    assert list(completed.index) == list(frame.index)
    assert list(completer.feature_names_in_) == list("abcde")
    assert list(completer.get_feature_names_out()) == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        completer.transform(frame.rename(columns={"a": "z"}))


def test_float32_is_kept():
    _, table = planted(seed=3)
    completed = MatrixCompleter(method="effects").fit_transform(table.astype("float32"))
    assert completed.dtype == np.float32


def test_in_a_pipeline_and_a_grid_search():
    _, table = planted(seed=4)
    completer = MatrixCompleter(method="greedy path", effects="none")
    completed = make_pipeline(completer, StandardScaler()).fit_transform(table)
    assert np.isfinite(completed).all()
    search = GridSearchCV(completer, {"max_rank": [1, 2]}, cv=3).fit(table)
    assert search.best_params_ == {"max_rank": 2}
