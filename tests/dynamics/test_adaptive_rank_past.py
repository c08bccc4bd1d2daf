"""Hidden units brought through the past are those of the dense linear flow."""

import numpy as np
import pytest
import scipy.linalg

import lowrankflow as lrf
from lowrankflow.dynamics.adaptive_rank_past import MOST_EPOCHS, Past, hidden_turn
from lowrankflow.dynamics.thin_pull import thin_pull
from lowrankflow.factorizations import StartFrames

SCALE = 1e-3


@pytest.fixture(scope="module")
def problem():
    return lrf.planted_completion(shape=(6, 9), rank=2, num_observed=30, seed=1)


def past_of(pull, epochs, hidden):
    return Past(
        epochs=np.zeros((0, pull.num_weights)),
        lengths=np.zeros(0),
        then=np.zeros(pull.num_weights),
        taken_left=np.zeros((hidden[0], 0)),
        taken_right=np.zeros((hidden[1], 0)),
    ), np.random.default_rng(0).standard_normal((epochs, pull.num_weights))


def lived(problem, pull, past, pieces):
    """The past after these pieces, and the dense product of its exponentials."""
    rows, cols = problem.shape
    product = np.eye(rows + cols)
    gamma = np.zeros(pull.num_weights)
    for piece in pieces:
        gamma = gamma + piece
        past.end_epoch(gamma, 1.0)
        g = np.asarray(pull.mm(piece, np.eye(cols)))
        lifted = np.block(
            [[np.zeros((rows, rows)), -g], [-g.T, np.zeros((cols, cols))]]
        )
        product = scipy.linalg.expm(lifted) @ product
    return product


@pytest.mark.parametrize("given", [False, True])
def test_units_are_what_they_would_have_become(problem, given):
    pull = thin_pull("test", problem, "float64")
    rng = np.random.default_rng(2)
    left, right = (np.linalg.qr(rng.standard_normal((n, 6)))[0] for n in (6, 9))
    frames = (
        StartFrames(SCALE, left, right, False)
        if given
        else StartFrames(SCALE, None, None, False)
    )
    past, pieces = past_of(pull, 4, (6, 0) if given else (6, 9))
    product = lived(problem, pull, past, 0.5 * pieces)
    now = (
        np.linalg.qr(rng.standard_normal((6, 2)))[0],
        np.linalg.qr(rng.standard_normal((9, 2)))[0],
    )
    units = np.concatenate(past.bring(pull, frames, False, now))
    # A column of the product times the start is in its span, and so is each unit.
    if given:
        start = SCALE**0.5 * np.concatenate([left, right])
        hidden = past.taken_left
        assert np.allclose(hidden.T @ hidden, np.eye(2), rtol=0, atol=1e-12)
        wanted = product @ start @ hidden
    else:
        wanted = product @ np.concatenate([past.taken_left, past.taken_right])
        wanted *= SCALE**0.5
    assert np.allclose(units, wanted, rtol=0, atol=1e-7 * np.abs(wanted).max())
    # Balanced, as the start is.
    grams = units[:6].T @ units[:6], units[6:].T @ units[6:]
    assert np.allclose(*grams, rtol=0, atol=1e-7 * np.abs(grams[0]).max())
    # None comes in twice.
    taken = past.taken_left
    again = past.bring(pull, frames, False, now)
    assert past.taken_left.shape[1] == 2 + again[0].shape[1]
    assert np.allclose(taken.T @ past.taken_left[:, 2:], 0, rtol=0, atol=1e-10)


def test_what_has_grown_most_is_what_comes_in(problem):
    """The units of the top direction carry it whole, from any frames."""
    pull = thin_pull("test", problem, "float64")
    rng = np.random.default_rng(3)
    left, right = (np.linalg.qr(rng.standard_normal((n, 6)))[0] for n in (6, 9))
    past, pieces = past_of(pull, 3, (6, 0))
    product = lived(problem, pull, past, pieces)
    start = SCALE**0.5 * np.concatenate([left, right])
    z, sizes, _ = np.linalg.svd(product @ start)
    frames = StartFrames(SCALE, left, right, False)
    top = past.bring(pull, frames, False, (z[:6, :1], z[6:, :1]))
    found = np.linalg.norm(np.concatenate(top))
    assert found == pytest.approx(sizes[0], rel=1e-6)


def test_epochs_are_few(problem):
    pull = thin_pull("test", problem, "float64")
    past, pieces = past_of(pull, MOST_EPOCHS + 9, (6, 9))
    lived(problem, pull, past, 1e-3 * pieces)
    assert len(past.epochs) == len(past.lengths) == MOST_EPOCHS
    assert past.lengths.sum() == MOST_EPOCHS + 9
    assert np.allclose(past.epochs.sum(axis=0), past.then, rtol=0, atol=1e-14)


def test_an_epoch_ends_when_the_gradient_turns(problem):
    pull = thin_pull("test", problem, "float64")
    past, pieces = past_of(pull, 2, (6, 9))
    assert not past.is_turning(pieces[0], 3 * pieces[0], 5.0)
    assert past.is_turning(pieces[0], pieces[1], 0.1)
    assert not past.is_turning(pieces[0], pieces[1], 0.01)


def test_units_keep_their_places_when_their_basis_turns():
    rng = np.random.default_rng(4)
    before = rng.standard_normal((6, 3)), rng.standard_normal((9, 3))
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    after = before[0] @ rotation, before[1] @ rotation
    assert np.allclose(hidden_turn(before, after), rotation, rtol=0, atol=1e-12)
