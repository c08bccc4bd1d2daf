"""The law of small directions where they turn, beyond depth 2."""

import numpy as np
import pytest

from lowrankflow.dynamics.tail_law import law_growth, law_sizes
from lowrankflow.dynamics.tail_turning import Watched, _Factors, lacking, swung

START = 1e-3


def products(matrix):
    return matrix.__matmul__, matrix.T.__matmul__


def parts(growth):
    u, g, vt = np.linalg.svd(growth, full_matrices=False)
    return Watched(growths=g, left=u, right=vt.T)


def law(growth, depth):
    """D, of the growth."""
    u, g, vt = np.linalg.svd(growth, full_matrices=False)
    return u * law_sizes(depth, START, g) @ vt


def velocity(block, push, depth):
    """D' of the balanced flow."""
    u, s, vt = np.linalg.svd(block, full_matrices=False)
    power = 2 / depth
    total = np.zeros_like(block)
    for k in range(depth):
        before = u * s ** (power * k) @ u.T if k else np.eye(len(block))
        rest = depth - 1 - k
        after = vt.T * s ** (power * rest) @ vt if rest else np.eye(block.shape[1])
        total += before @ push @ after
    return total


@pytest.fixture(scope="module", params=[3, 4])
def case(request):
    """A growth whose directions are far apart, and a push that turns them."""
    depth, rng = request.param, np.random.default_rng(request.param)
    u, v = (np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(2))
    runaway = law_growth(depth, START, 1e6)
    growth = u * (runaway * np.linspace(0.7, 0.1, 6)) @ v.T
    push = rng.standard_normal((6, 6))
    return depth, growth, push, runaway


def test_all_watched_it_is_the_flow(case):
    depth, growth, push, runaway = case
    step = 1e-7 * runaway
    a, b = lacking(
        parts(growth),
        products(step * push),
        products(growth),
        depth=depth,
        start=START,
        is_mirrored=False,
    )
    moved = law(growth + step * push + a @ b.T, depth) - law(growth, depth)
    wanted = velocity(law(growth, depth), push, depth)
    late = (law(growth + step * push, depth) - law(growth, depth)) / step
    size = np.linalg.norm(wanted)
    # First order in the step; the law of the integral alone is off by a good part.
    assert np.linalg.norm(moved / step - wanted) < 1e-4 * size
    assert np.linalg.norm(late - wanted) > 0.05 * size


def test_a_few_watched_it_is_nearer_than_without(case):
    depth, growth, push, runaway = case
    step = 1e-7 * runaway
    whole = parts(growth)
    few = Watched(
        growths=whole.growths[:2], left=whole.left[:, :2], right=whole.right[:, :2]
    )
    settings = {"depth": depth, "start": START, "is_mirrored": False}
    maps = products(step * push), products(growth)
    wanted, found = (
        a @ b.T for a, b in (lacking(w, *maps, **settings) for w in (whole, few))
    )
    # What has to do with the two directions watched.
    u, v = few.left, few.right
    ours, all_of_it = (
        np.concatenate([u.T @ x, (x @ v).T], axis=1) for x in (found, wanted)
    )
    off = np.linalg.norm(ours - all_of_it) / np.linalg.norm(all_of_it)
    assert off < 0.25


def test_mirror_images_stay_so():
    rng = np.random.default_rng(0)
    frame = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    runaway = law_growth(3, START, 1e6)
    growth = frame * (runaway * np.linspace(0.6, -0.2, 6)) @ frame.T
    push = rng.standard_normal((6, 6))
    push = push + push.T
    few = Watched(
        growths=runaway * np.linspace(0.6, -0.2, 6)[:3],
        left=frame[:, :3],
        right=frame[:, :3],
    )
    a, b = lacking(
        few, products(push), products(growth), depth=3, start=START, is_mirrored=True
    )
    added = a @ b.T
    assert np.allclose(added, added.T, rtol=0, atol=1e-12 * np.abs(added).max())


def test_what_is_outside_turns_what_is_followed():
    """Singular vectors of the whole block, less their motion with nothing outside."""
    rng = np.random.default_rng(1)
    u, v = (np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(2))
    runaway = law_growth(3, START, 1e6)
    growths = runaway * np.array([0.85, 0.6, 0.5, 0.3, 0.2, 0.1])
    push, step = rng.standard_normal((6, 6)), 1e-7 * runaway
    sizes = law_sizes(3, START, growths)
    block = u * sizes @ v.T
    followed = Watched(growths=growths[:1], left=u[:, :1], right=v[:, :1])
    outside = Watched(growths=growths[1:], left=u[:, 1:], right=v[:, 1:])
    p, q = u[:, 1:] @ u[:, 1:].T, v[:, 1:] @ v[:, 1:].T
    d_left, d_right = swung(
        followed,
        outside,
        products(p @ (step * push) @ q + p @ (step * push) @ v[:, :1] @ v[:, :1].T
                 + u[:, :1] @ u[:, :1].T @ (step * push) @ q),
        products(u[:, 1:] * growths[1:] @ v[:, 1:].T),
        depth=3,
        start=START,
        is_mirrored=False,
    )  # fmt: skip
    alone = sizes[0] ** (1 - 2 / 3) * step
    thin = p @ push @ v[:, :1] * alone, q @ push.T @ u[:, :1] * alone
    left, _, right = np.linalg.svd(block + step * velocity(block, push, 3))
    left, right = left[:, :1], right[:1].T
    left, right = (
        side * np.sign((side.T @ start).item())
        for side, start in ((left, u[:, :1]), (right, v[:, :1]))
    )
    turned = p @ left, q @ right
    for found, bare, wanted in zip((d_left, d_right), thin, turned, strict=True):
        size = np.linalg.norm(wanted)
        assert np.linalg.norm(found + bare - wanted) < 1e-3 * size
        assert np.linalg.norm(bare - wanted) > 0.05 * size


def test_two_directions_that_are_both_about_to_run_away():
    """Their sizes by the law stop at one number, and growths still differ."""
    factors = _Factors(depth=3, start=1e-4)
    ends_at = (1e-4) ** (2 / 3 - 1)
    found = factors.even(np.array([ends_at]), np.array([1.1 * ends_at]))
    assert found == pytest.approx(1.0)
