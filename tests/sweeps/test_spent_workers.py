"""A worker that has few memory maps left makes room for a new one."""

import lowrankflow as lrf
from lowrankflow.simulation import Recipe, RunJob
from lowrankflow.store import Store
from lowrankflow.sweeps import ProcessExecutor, processes, worker


def job(seed):
    arguments = {"shape": [6, 5], "rank": 1, "num_observed": 20, "seed": 0}
    return RunJob(
        problem=Recipe("planted_completion", arguments),
        factorization=lrf.DeepFactorization(2),
        dynamics=lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.01)),
        stop=lrf.Stop(iterations=5),
        start=lrf.Gaussian(init_scale=0.1),
        seed=seed,
    )


def started_for(jobs, tmp_path, monkeypatch, spent):
    """How many workers were started for jobs, all of which succeed."""
    begun = []
    made = processes._Worker.__init__

    def counted(self, *arguments):
        made(self, *arguments)
        begun.append(self.process.pid)

    program = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
        "from lowrankflow.sweeps import worker; "
        f"worker.few_maps_left = lambda: {spent}; worker.main()"
    )
    monkeypatch.setattr(processes._Worker, "__init__", counted)
    monkeypatch.setattr(processes, "_START", program)
    outcomes = ProcessExecutor(1).run(jobs, Store(tmp_path))
    assert all(outcome.status == "finished" for outcome in outcomes)
    return len(set(begun))


def test_a_spent_worker_is_replaced_and_no_job_lost(tmp_path, monkeypatch):
    jobs = [job(0), job(1), job(2)]
    # Each is young when it is looked at first, and then says at once that it is spent.
    assert started_for(jobs, tmp_path / "spent", monkeypatch, True) == 3


def test_another_goes_on(tmp_path, monkeypatch):
    jobs = [job(0), job(1), job(2)]
    assert started_for(jobs, tmp_path / "fresh", monkeypatch, False) == 1


def test_maps_are_few_from_half_of_the_limit_on(tmp_path):
    maps, most = tmp_path / "maps", tmp_path / "most"
    maps.write_text("one\n" * 51)
    most.write_text("100\n")
    assert worker.few_maps_left(maps, most)
    most.write_text("102\n")
    assert not worker.few_maps_left(maps, most)
    # Where there is no such file there is no such limit.
    assert not worker.few_maps_left(tmp_path / "none", most)
