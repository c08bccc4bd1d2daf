"""What people would use instead, each with its small grid; no lowrankflow needed.

    python peers.py METHOD DRAW.npz ...

Rows are samples for scikit-learn's imputers. Empty columns, and rows or columns that a
recommender does not know, get the mean of all entries.
"""

import itertools

import numpy as np
from one_method import Seen, main, tuned

SHARES = (0.6, 0.4, 0.25, 0.1, 0.03, 0.01, 0.001, 0.0001)
FEWER_SHARES = (0.5, 0.3, 0.15, 0.05, 0.01)
RANKS = (2, 5, 10, 20, 40)
SMALL = 500_000  # cells of a table on which slow methods have their whole grid


def dense(shape, entries):
    """The table with NaN; columns without any entry have the mean in all of them."""
    rows, cols, values = entries
    table = np.full(shape, np.nan)
    table[rows, cols] = values
    table[:, np.isnan(table).all(axis=0)] = values.mean()
    return table


def imputed(imputer, shape, entries):
    """What an imputer of scikit-learn makes of a table."""
    full = imputer.fit_transform(dense(shape, entries))
    return lambda rows, cols: full[rows, cols]


def simple(seen: Seen):
    """The mean of each column."""
    from sklearn.impute import SimpleImputer

    return tuned(seen, [{}], lambda s, e, _: imputed(SimpleImputer(), s, e))


def neighbours(seen: Seen):
    """The mean over the nearest rows that have the entry."""
    from sklearn.impute import KNNImputer

    small = seen.shape[0] * seen.shape[1] <= SMALL
    grid = [{"neighbours": n} for n in ((5, 15, 50) if small else (15,))]

    def fit(shape, entries, setting):
        made = KNNImputer(n_neighbors=setting["neighbours"], weights="distance")
        return imputed(made, shape, entries)

    return tuned(seen, grid, fit)


def iterative(seen: Seen):
    """A Bayesian ridge regression for each column on others, in turns."""
    import warnings

    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    warnings.filterwarnings("ignore")  # that ten rounds were not enough
    wide = seen.shape[1] > 70
    small = seen.shape[0] * seen.shape[1] <= SMALL
    nearest = 30 if wide else None
    rounds = 10 if small else 5
    if seen.shape[1] > 1000:
        rounds = 2

    def fit(shape, entries, setting):
        made = IterativeImputer(
            n_nearest_features=setting["nearest"],
            max_iter=setting["rounds"],
            random_state=0,
        )
        return imputed(made, shape, entries)

    return tuned(seen, [{"nearest": nearest, "rounds": rounds}], fit)


def cmfrec(seen: Seen, **more):
    """Alternating least squares, its penalty and rank searched in turns.

    Penalties are shares of the largest singular value of the centred table with zeros
    where nothing is seen; where they are multiplied by the number of entries of a row
    or column (`scale_lam`), that value is divided by the mean of these numbers. First
    every penalty at ranks 5 and 20, then every rank at the two best, then every scaled
    penalty at the best rank, and the best three without biases: some thirty fits, and
    some twenty where more than 40,000 entries are seen.
    """
    few = seen.values.size <= 40_000
    shares = SHARES if few else FEWER_SHARES
    top = largest(seen)
    usual = (seen.values.size**2 / (seen.shape[0] * seen.shape[1])) ** 0.5
    fitted = {}

    def error(rank, share, scaled=False, biased=True):
        key = (rank, share, scaled, biased)
        if key in fitted:
            return
        one = {
            "rank": rank,
            "share": share,
            "penalty": top * share / (usual if scaled else 1.0),
            "scaled": scaled,
            "biased": biased,
        }
        at = fit(seen.entries(~seen.aside), one)
        fitted[key] = seen.error_aside(at), one

    def fit(entries, one):
        return _als(seen.shape, entries, one, 30 if few else 15, more)

    def best(count):
        return [key for key, _ in sorted(fitted.items(), key=lambda kv: kv[1][0])][
            :count
        ]

    ranks = [rank for rank in RANKS if rank < min(seen.shape)]
    for rank, share in itertools.product((5, 20), shares):
        error(rank, share)
    for (_, share, *_), rank in itertools.product(best(2), ranks):
        error(rank, share)
    ((rank, *_),) = best(1)
    for share in shares:
        error(rank, share, scaled=True)
    for rank, share, scaled, _ in best(3):
        error(rank, share, scaled, biased=False)
    least, one = fitted[best(1)[0]]
    at = fit(seen.entries(), one)
    said = {**one, "tried": len(fitted), "aside": least}
    return at(seen.test_rows, seen.test_cols), said


def largest(seen: Seen) -> float:
    """The largest singular value of the centred observed table."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import svds

    values = seen.values - seen.values.mean()
    table = csr_array((values, (seen.rows, seen.cols)), shape=seen.shape)
    start = np.ones(min(seen.shape))
    return float(svds(table, k=1, v0=start, return_singular_vectors=False)[0])


def _als(shape, entries, setting, iterations, more):
    from cmfrec import CMF
    from scipy.sparse import coo_matrix

    rows, cols, values = entries
    # In units of their spread: its single precision is about such numbers.
    unit = values.std() or 1.0
    penalty = setting["penalty"] / unit
    model = CMF(
        k=setting["rank"],
        lambda_=max(penalty, 1e-6),
        scale_lam=setting["scaled"],
        user_bias=setting["biased"],
        item_bias=setting["biased"],
        niter=iterations,
        use_cg=False,
        use_float=False,
        nthreads=1,
        verbose=False,
        random_state=1,
        **more,
    )
    mean = values.mean()
    table = coo_matrix(((values - mean) / unit, (rows, cols)), shape=shape)
    model.fit(table)

    # What it says of a row or column without entries is no prediction: biases alone.
    of_row, of_col = np.zeros(shape[0]), np.zeros(shape[1])
    if setting["biased"]:
        of_row, of_col = np.asarray(model.user_bias_), np.asarray(model.item_bias_)
    known = [
        np.bincount(index, minlength=size) > 0
        for index, size in zip(entries[:2], shape, strict=True)
    ]

    def at(rows, cols):
        found = np.asarray(model.predict(rows, cols), float)
        of_effects = np.where(known[0][rows], of_row[rows], 0.0)
        of_effects += np.where(known[1][cols], of_col[cols], 0.0)
        found = np.where(known[0][rows] & known[1][cols], found, of_effects)
        return mean + unit * found

    return at


def surprise_svd(seen: Seen):
    """Stochastic descent on factors and biases, values in units of their spread."""
    from surprise import SVD

    small = seen.values.size <= 100_000
    grid = [
        {"rank": rank, "penalty": penalty, "epochs": epochs}
        for rank in (10, 50)
        for penalty in ((0.02, 0.05, 0.1) if small else (0.02, 0.1))
        for epochs in ((20, 60) if small else (20,))
    ]

    def fit(shape, entries, one):
        made = SVD(
            n_factors=one["rank"],
            reg_all=one["penalty"],
            n_epochs=one["epochs"],
            random_state=0,
        )
        return _recommended(made, shape, entries)

    return tuned(seen, grid, fit)


def surprise_svdpp(seen: Seen):
    """The same with factors for what was rated at all."""
    from surprise import SVDpp

    grid = [
        {"rank": 20, "penalty": penalty, "epochs": epochs}
        for penalty, epochs in ((0.02, 20), (0.05, 30), (0.1, 40))
    ]

    def fit(shape, entries, one):
        made = SVDpp(
            n_factors=one["rank"],
            reg_all=one["penalty"],
            n_epochs=one["epochs"],
            random_state=0,
            cache_ratings=True,
        )
        return _recommended(made, shape, entries)

    return tuned(seen, grid, fit)


def _recommended(model, shape, entries):
    """A fitted model of surprise, as a function of arrays of rows and columns."""
    import pandas
    from surprise import Dataset, Reader

    rows, cols, values = entries
    rated = values.min() >= 0.5 and values.max() <= 5  # ratings as they are
    mean, unit = (0.0, 1.0) if rated else (values.mean(), values.std() or 1.0)
    scaled = (values - mean) / unit
    frame = pandas.DataFrame({"row": rows, "col": cols, "value": scaled})
    reader = Reader(rating_scale=(scaled.min(), scaled.max()))
    known = Dataset.load_from_df(frame, reader).build_full_trainset()
    model.fit(known)
    rank = model.pu.shape[1]
    left, right = np.zeros((shape[0], rank)), np.zeros((shape[1], rank))
    of_row, of_col = np.zeros(shape[0]), np.zeros(shape[1])
    mine = np.array([known.to_raw_uid(inner) for inner in known.all_users()], int)
    theirs = np.array([known.to_raw_iid(inner) for inner in known.all_items()], int)
    left[mine], right[theirs] = model.pu, model.qi
    of_row[mine], of_col[theirs] = model.bu, model.bi
    if hasattr(model, "yj"):
        implicit = np.zeros((shape[1], rank))
        implicit[theirs] = model.yj
        summed = np.zeros_like(left)
        np.add.at(summed, rows, implicit[cols])
        count = np.maximum(np.bincount(rows, minlength=shape[0]), 1)
        left += summed / np.sqrt(count)[:, None]

    def at(rows, cols):
        inner = np.einsum("ij,ij->i", left[rows], right[cols])
        found = known.global_mean + of_row[rows] + of_col[cols] + inner
        return mean + unit * found

    return at


METHODS = {
    "SimpleImputer": simple,
    "KNNImputer": neighbours,
    "IterativeImputer": iterative,
    "cmfrec": cmfrec,
    "cmfrec, implicit": lambda seen: cmfrec(seen, add_implicit_features=True),
    "surprise SVD": surprise_svd,
    "surprise SVD++": surprise_svdpp,
}

if __name__ == "__main__":
    main(METHODS)
