"""A weighted mean of candidates: where they err differently it errs less than each.

Weights are not negative and add up to one; they minimize the mean square over the
entries kept aside, and the error that the blend is judged by is cross-fitted: of each
half with the weights of the other half. The mean of low-rank models is one again, of
the sum of their ranks.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from lowrankflow.completion.candidates.watch import Watch
from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.results import CandidateResult, PathPoint
from lowrankflow.problems import Effects
from lowrankflow.seeds import generator

BLEND = "blend"
# Entries to choose by for each candidate in the blend, at least; weights below this are
# left out; and by how many standard errors, and what share of the mean square, it must
# be better than the best part.
_FEWEST, _LEAST, _CLEARLY, _WORTH = 50, 0.03, 1.0, 0.003
_HEAVY = 1e4  # of the equation that weights add up to one, beside residuals of size 1


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Blend:
    """A blend that is clearly better than its parts.

    Args:
        result: as a candidate.
        parts: the candidates.
        weights: of each, > 0, adding up to 1.
    """

    result: CandidateResult
    parts: tuple[CandidateResult, ...]
    weights: tuple[float, ...]


def blended(
    candidates: Sequence[CandidateResult], watch: Watch, *, seed: int
) -> Blend | None:
    """The blend of candidates, or None where it is not clearly better than the best.

    Args:
        candidates: two at least, or there is nothing to blend.
        watch: the judge, with entries to choose by.
        seed: of the two halves.
    """
    aside = watch.split.selection
    if aside is None or len(candidates) < 2:
        return None
    if aside.num_entries < _FEWEST * len(candidates):
        return None
    residuals = np.stack([one.residuals for one in candidates], axis=1)
    best = min(range(len(candidates)), key=lambda k: candidates[k].held_out_error)
    if candidates[best].held_out_error == 0:
        return None
    fair = _cross_fitted(residuals, aside, seed)
    paired = np.square(fair) - np.square(residuals[:, best])
    own = np.ones(paired.size) if aside.weights is None else aside.weights
    own = own / own.sum()
    gain = float(own @ paired)
    error = float(np.sqrt(np.square(own) @ np.square(paired - gain)))
    if gain > -max(_CLEARLY * error, _WORTH * candidates[best].held_out_error ** 2):
        return None
    weights = _weights(residuals, aside)
    kept = np.flatnonzero(weights >= _LEAST)
    if kept.size < 2:
        return None
    weights = _weights(residuals[:, kept], aside)
    parts = [candidates[int(k)] for k in kept]
    model = combined([one.model for one in parts], weights)
    setting = {
        "parts": tuple(
            {"method": one.method, "weight": float(w), "rank": one.rank} | one.setting
            for one, w in zip(parts, weights, strict=True)
        )
    }
    held_out = float(np.sqrt(aside.mean_square(fair)))
    training = watch.training_error(model)
    point = PathPoint(
        rank=model.rank,
        setting=setting,
        training_error=training,
        held_out_error=held_out,
    )
    result = CandidateResult(
        method=BLEND,
        setting=setting,
        rank=model.rank,
        training_error=training,
        held_out_error=held_out,
        seconds=0.0,
        path=(point,),
        model=model,
        residuals=fair,
    )
    return Blend(
        result=result,
        parts=tuple(parts),
        weights=tuple(float(w) for w in weights),
    )


def combined(
    models: Sequence[CompletionModel], weights: Sequence[float] | np.ndarray
) -> CompletionModel:
    """The weighted mean of models, as one: effects added, factors side by side.

    Args:
        models: of one table, in the same units.
        weights: one each, >= 0, adding up to 1.

    Factors are balanced again, and a new row's ridge is the weighted mean of theirs.
    """
    roots = np.sqrt(np.asarray(weights, float))
    sides = [
        np.concatenate(
            [
                root * np.asarray(side(one), float)
                for one, root in zip(models, roots, strict=True)
            ],
            axis=1,
        )
        for side in (lambda one: one.left, lambda one: one.right)
    ]
    (left, a), (right, b) = (np.linalg.qr(side) for side in sides)
    u, values, vt = np.linalg.svd(a @ b.T, full_matrices=False)
    kept = values > 1e-12 * values.max(initial=0.0)
    half = np.sqrt(values[kept])
    shares = list(zip(models, weights, strict=True))
    return CompletionModel(
        effects=Effects(
            mean=float(sum(w * one.effects.mean for one, w in shares)),
            rows=np.asarray(sum(w * one.effects.rows for one, w in shares)),
            cols=np.asarray(sum(w * one.effects.cols for one, w in shares)),
        ),
        effects_penalty=models[0].effects_penalty,
        has_row_effects=any(one.has_row_effects for one in models),
        left=left @ (u[:, kept] * half),
        right=right @ (vt[kept].T * half),
        ridge=float(sum(w * one.ridge for one, w in shares)),
        parts=tuple((one, float(w)) for one, w in shares),
    )


def _cross_fitted(
    residuals: Float[np.ndarray, "n k"], aside: ObservedTable, seed: int
) -> Float[np.ndarray, " n"]:
    """Residuals of each half with the weights of the other half."""
    first = generator(seed, "completion", "blend").permutation(len(residuals)) % 2 == 0
    fair = np.empty(len(residuals))
    for half in (first, ~first):
        fair[half] = residuals[half] @ _weights(residuals[~half], aside.part(~half))
    return fair


def _weights(
    residuals: Float[np.ndarray, "n k"], aside: ObservedTable
) -> Float[np.ndarray, " k"]:
    """Weights >= 0 that add up to 1 and minimize the mean square of the blend."""
    scale = np.sqrt(float(np.mean(np.square(residuals)))) * np.sqrt(len(residuals))
    rows = residuals / (scale or 1.0)
    if aside.weights is not None:
        rows = rows * np.sqrt(aside.weights / aside.weights.mean())[:, None]
    count = residuals.shape[1]
    system = np.concatenate([rows, np.full((1, count), _HEAVY)])
    right = np.concatenate([np.zeros(len(rows)), [_HEAVY]])
    weights, _ = nnls(system, right)
    return weights / weights.sum()
