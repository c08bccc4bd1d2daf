"""Each dynamics, broken off in the middle, ends with the bits of an unbroken run."""

import pytest

import lowrankflow as lrf
from lowrankflow.simulation import Recipe, RunJob
from lowrankflow.store import Store, digest, execute

RECTANGLE = Recipe(
    "planted_completion",
    {"shape": [7, 5], "rank": 2, "num_observed": 25, "seed": 1, "num_held_out": 4},
)
SYMMETRIC = Recipe(
    "symmetrized",
    {
        "of": {
            "kind": "planted_psd_completion",
            "size": 6,
            "rank": 2,
            "num_observed": 20,
            "seed": 0,
        }
    },
)
EVERY = lrf.EveryIterations(1)
GREEDY = lrf.GreedyLowRank(
    rtol=1e-5,
    atol=1e-5,
    seed_scale=1e-8,
    stage_tolerance=1e-6,
    optimality_tolerance=1e-4,
)
JOBS = {
    "flow": RunJob(
        RECTANGLE,
        lrf.DeepFactorization(3),
        lrf.GradientFlow(rtol=1e-5, atol=1e-5),
        lrf.Stop(iterations=40),
        start=lrf.Gaussian(init_scale=0.1),
        schedule=EVERY,
        observe=("alignment_on_2", "alignment_off_2"),
    ),
    "adaptive rank": RunJob(
        RECTANGLE,
        lrf.DeepFactorization(3),
        lrf.AdaptiveRankFlow(admission_tolerance=1e-3, rtol=1e-5, atol=1e-5),
        lrf.Stop(iterations=60),
        start=lrf.Aligned(init_scale=1e-4),
        schedule=EVERY,
    ),
    "adaptive rank, symmetric": RunJob(
        SYMMETRIC,
        lrf.DeepFactorization(2),
        lrf.AdaptiveRankFlow(admission_tolerance=1e-3, rtol=1e-5, atol=1e-5),
        lrf.Stop(iterations=60),
        start=lrf.Identity(init_scale=1e-4),
        schedule=EVERY,
    ),
    "flow at times": RunJob(
        RECTANGLE,
        lrf.DeepFactorization(2),
        lrf.GradientFlow(rtol=1e-5, atol=1e-5),
        lrf.Stop(time=4.0),
        start=lrf.Gaussian(init_scale=1e-30),
        schedule=lrf.AtTimes([0.1 * k for k in range(1, 41)]),
    ),
    "mirrored flow": RunJob(
        SYMMETRIC,
        lrf.DeepFactorization(2),
        lrf.GradientFlow(rtol=1e-5, atol=1e-5),
        lrf.Stop(iterations=40),
        start=lrf.Identity(init_scale=1e-3),
        schedule=EVERY,
    ),
    "end to end": RunJob(
        RECTANGLE,
        lrf.DeepFactorization(3),
        lrf.EndToEndFlow(rtol=1e-5, atol=1e-5),
        lrf.Stop(iterations=40),
        start=lrf.Balanced(init_scale=0.1),
        schedule=EVERY,
    ),
    "greedy": RunJob(
        SYMMETRIC,
        lrf.SymmetricFactorization(),
        GREEDY,
        lrf.Stop(iterations=60),
        schedule=EVERY,
    ),
    "steered": RunJob(
        SYMMETRIC,
        lrf.SymmetricFactorization(),
        lrf.SteeredFlow(step=0.01),
        lrf.Stop(iterations=40),
        start=lrf.Gaussian(init_scale=0.1),
        schedule=EVERY,
    ),
    "momentum and batches": RunJob(
        RECTANGLE,
        lrf.DeepFactorization(2),
        lrf.GradientDescent(
            step=lrf.Nesterov(learning_rate=0.01, momentum=0.9), batch_size=10
        ),
        lrf.Stop(iterations=40),
        start=lrf.Gaussian(init_scale=0.1),
        schedule=EVERY,
        seed=5,
    ),
}


class Interrupted(BaseException):
    pass


def break_off(event):
    if event.stage == "running":
        raise Interrupted


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_a_run_broken_off_twice_has_the_bits_of_one_that_was_not(tmp_path, name):
    job = JOBS[name]
    broken, whole = Store(tmp_path / "broken"), Store(tmp_path / "whole")
    for _ in range(2):
        with pytest.raises(Interrupted):
            execute(job, broken, progress=break_off, seconds_between=0)
        assert broken.status(digest(job)) == "interrupted"
    events = []
    execute(job, broken, progress=events.append)
    assert events[-1].records > 33
    execute(job, whole)
    one, other = broken.get(digest(job)), whole.get(digest(job))
    assert set(one.variables) == set(other.variables)
    for variable in one.variables:
        assert one[variable].dtype == other[variable].dtype
        assert one[variable].values.tobytes() == other[variable].values.tobytes()
