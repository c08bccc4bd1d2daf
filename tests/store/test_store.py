import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray
from small_jobs import PROBLEM, descent_job, reference_job

import lowrankflow as lrf
from lowrankflow.simulation import (
    Recipe,
    ReferenceJob,
    build,
    fingerprint,
    job_from_json,
    named_observers,
)
from lowrankflow.store import CheckpointWarning, Store, digest, execute
from lowrankflow.store.archive import checksum, read_result, to_bytes
from lowrankflow.store.checkpoints import Checkpoints


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store with one run and one reference solution in it."""
    store = Store(tmp_path_factory.mktemp("store"))
    for job in (descent_job(60), reference_job()):
        execute(job, store)
    return store


@pytest.fixture
def store(finished, tmp_path):
    """A copy of it to damage."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    return Store(tmp_path / "copy")


RUN = digest(descent_job(60))
SOLUTION = digest(reference_job())


def test_a_digest_changes_with_all_that_decides_the_numbers_and_nothing_else():
    assert digest(descent_job(60, schedule=lrf.EveryIterations(5))) == RUN
    others = [
        descent_job(61),
        descent_job(60, seed=1),
        descent_job(60, observe=()),
        descent_job(60, start=lrf.Gaussian(init_scale=0.2)),
        descent_job(
            60, problem=Recipe("planted_completion", {**PROBLEM.arguments, "seed": 1})
        ),
        reference_job(),
        ReferenceJob(PROBLEM, gap_tolerance=1e-9),
    ]
    assert len({RUN, *map(digest, others)}) == len(others) + 1


def test_a_stored_run_is_the_run(finished):
    job = descent_job(60)
    run = lrf.simulate(
        build(job.problem),
        job.factorization,
        job.dynamics,
        start=job.start,
        seed=job.seed,
        stop=job.stop,
        schedule=job.schedule,
        observe=named_observers(job.observe),
    )
    stored = finished.get(RUN)
    assert stored is not None
    for name, variable in run.dataset.variables.items():
        assert np.array_equal(stored[name].values, variable.values), name
        assert stored[name].dims == variable.dims
    assert np.array_equal(stored["matrix"].values, run.matrix)
    for j, factor in enumerate(run.factors, start=1):
        assert np.array_equal(stored[f"factor_{j}"].values, factor)
    assert set(stored.coords) == {"time", "iteration"}


def test_a_stored_run_says_where_it_is_from(finished):
    said = finished.get(RUN).attrs
    assert said["digest"] == RUN
    assert job_from_json(said["specification"]) == descent_job(60)
    assert said["data_fingerprint"] == fingerprint(build(PROBLEM))
    assert json.loads(said["seeds"]) == {"problem": 0, "run": 0}
    assert said["dtype"] == "float64"
    assert set(json.loads(said["versions"])) == {
        "lowrankflow",
        "jax",
        "numpy",
        "python",
    }
    machine = json.loads(said["machine"])
    assert machine["cpu_count"] >= 1
    assert os.uname().nodename not in said["machine"]
    assert 0 < said["wall_time_seconds"] < 60
    assert 10**7 < said["peak_memory_bytes"] < 10**11
    assert said["result"] == "iterations_reached"
    assert said["normalization"] == "sum"
    assert said["format"] == "lowrankflow result"


def test_a_stored_solution_has_its_certificate(finished):
    stored = finished.get(SOLUTION)
    direct = lrf.min_nuclear_norm(build(PROBLEM))
    assert stored.attrs["certified"] == 1
    assert stored.attrs["certificate_relative_gap"] <= 1e-8
    certificate = lrf.verify(
        build(PROBLEM), stored["matrix"].values, stored["dual"].values
    )
    assert certificate.holds
    # 1e-7: the gap asked for, relative, with room for the threads of the host.
    error = np.linalg.norm(stored["matrix"].values - direct.matrix)
    assert error <= 1e-7 * np.linalg.norm(direct.matrix)
    assert stored.attrs["result"] == "converged"


def test_the_least_frobenius_norm_is_kept_too(store):
    job = ReferenceJob(PROBLEM, kind="min_frobenius_norm")
    stored = store.get(execute(job, store))
    expected = lrf.min_frobenius_norm(build(PROBLEM))
    assert np.array_equal(stored["matrix"].values, expected)


def test_anyone_can_open_a_result(finished):
    with xarray.open_dataset(finished.result_path(RUN), engine="h5netcdf") as opened:
        assert opened["loss"].dims == ("record",)
        assert opened["singular_values"].dims == ("record", "sv")


def test_a_finished_run_is_not_computed_again(finished):
    events = []
    assert execute(descent_job(60), finished, progress=events.append) == RUN
    assert [event.stage for event in events] == ["found"]


def test_divergence_is_a_result(store):
    diverging = lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=50.0))
    name = execute(descent_job(2000, dynamics=diverging), store)
    assert store.get(name).attrs["result"] == "diverged"
    assert store.failure(name) is None


def test_events_say_how_far_a_run_is(store):
    events = []
    execute(descent_job(200), store, progress=events.append)
    assert [e.stage for e in events] == ["started", "running", "running", "finished"]
    assert [e.fraction for e in events] == [0.0, 75 / 200, 155 / 200, 1.0]
    assert [e.records for e in events] == [0, 16, 32, 41]
    assert events[-1].iteration == 200
    assert events[-1].stop == {"iterations": 200.0}


def test_what_a_store_knows(finished):
    assert [entry.digest for entry in finished.list()] == sorted([RUN, SOLUTION])
    assert {entry.status for entry in finished.list()} == {"finished"}
    assert finished.status(RUN) == "finished"
    assert finished.status("0" * 64) == "absent"
    assert finished.get("0" * 64) is None
    assert finished.resolve(RUN[:10]) == RUN


@pytest.mark.parametrize("beginning", ["x", ""])
def test_a_beginning_that_is_of_none_or_several(finished, beginning):
    with pytest.raises(lrf.StoreError, match="beginning of exactly one digest"):
        finished.resolve(beginning)


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, 3])
def test_what_is_no_digest(finished, name):
    with pytest.raises(lrf.StoreError, match="64 hexadecimal digits"):
        finished.get(name)


def test_a_file_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(lrf.StoreError, match=r"is a folder\. Got a file"):
        Store(tmp_path / "file")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def foreign(path):
    xarray.Dataset({"x": ("a", np.arange(3.0))}).to_netcdf(path, engine="h5netcdf")


def text(path):
    path.write_text("time,loss\n0,1\n")


def changed_number(path):
    with xarray.open_dataset(path, engine="h5netcdf") as opened:
        dataset = opened.load()
    loss = dataset["loss"].values
    loss[3] = np.nextafter(loss[3], np.inf)
    dataset.to_netcdf(path, engine="h5netcdf")


def changed_result(path):
    with xarray.open_dataset(path, engine="h5netcdf") as opened:
        dataset = opened.load()
    dataset.assign_attrs(result="converged").to_netcdf(path, engine="h5netcdf")


def flipped_bit(path):
    content = bytearray(path.read_bytes())
    with xarray.open_dataset(path, engine="h5netcdf") as opened:
        matrix = opened["matrix"].values.tobytes()
    content[content.index(matrix) + 9] ^= 1
    path.write_bytes(bytes(content))


def newer(path):
    with xarray.open_dataset(path, engine="h5netcdf") as opened:
        dataset = opened.load()
    dataset.assign_attrs(format_version=2).to_netcdf(path, engine="h5netcdf")


def another(path):
    shutil.copy(path.with_name(f"{SOLUTION}.nc"), path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncated, r"whole NetCDF file.*Delete it"),
        (halved, r"whole NetCDF file"),
        (emptied, r"Got 0 bytes"),
        (text, r"whole NetCDF file"),
        (changed_number, r"content that does not have its checksum"),
        (changed_result, r"content that does not have its checksum"),
        (flipped_bit, r"a file that does not have its checksum"),
        (foreign, r"written by lowrankflow. Got the format None. Move it"),
        (newer, r"up to format version 1. Got format version 2. Upgrade it"),
        (another, r"named by its digest"),
    ],
)
def test_a_file_that_is_not_the_result_is_never_served(store, damage, message):
    path = store.result_path(RUN)
    damage(path)
    content = path.read_bytes()
    for attempt in (
        lambda: store.get(RUN),
        lambda: execute(descent_job(60), store),
        lambda: store.export(RUN, store.folder / "out.nc"),
    ):
        with pytest.raises(lrf.StoreError, match=message) as caught:
            attempt()
        assert str(path) in caught.value.where
    assert path.read_bytes() == content
    gone = store.prune()
    assert gone == ([] if damage in (foreign, newer, another) else [path])
    assert store.get(SOLUTION) is not None


def test_every_bit_counts(finished):
    content = finished.result_path(SOLUTION).read_bytes()
    random_source = np.random.default_rng(0)
    path = finished.folder.parent / f"{SOLUTION}.nc"
    for position in random_source.integers(len(content) - 100, size=50):
        flipped = bytearray(content)
        flipped[position] ^= 1 << random_source.integers(8)
        path.write_bytes(bytes(flipped))
        with pytest.raises(lrf.StoreError, match="does not have its checksum"):
            read_result(path, path.stem)


def test_a_pruned_store(store):
    failing = ReferenceJob(
        Recipe(
            "entries", {"rows": [0], "cols": [0], "values": [-1.0], "shape": [2, 2]}
        ),
        psd=True,
    )
    partial = store.result_path("a" * 64).with_suffix(".nc.partial")
    partial.write_bytes(b"half")
    store.record_failure(digest(failing), failing, ValueError("no"))
    assert store.status(digest(failing)) == "failed"
    going = {partial, store.failure_path(digest(failing))}
    assert set(store.prune(dry_run=True)) == going
    assert partial.exists()
    assert set(store.prune()) == going
    assert not partial.exists()
    assert store.prune(keep={RUN}) == [store.result_path(SOLUTION)]
    assert [entry.digest for entry in store.list()] == [RUN]


def test_an_exported_result(store, tmp_path):
    wanted = store.result_path(RUN).read_bytes()
    assert store.export(RUN, tmp_path / "mine.nc").read_bytes() == wanted
    assert store.export(RUN, tmp_path) == tmp_path / f"{RUN}.nc"
    with pytest.raises(lrf.StoreError, match="only a finished result.*absent"):
        store.export("0" * 64, tmp_path / "x.nc")


def test_when_nobody_listens_any_more_the_job_has_not_failed(store):
    # As a worker process whose parent was killed finds out.
    def deaf(event):
        if event.stage == "running":
            raise BrokenPipeError("nobody reads this pipe")

    job = descent_job(400)
    with pytest.raises(BrokenPipeError):
        execute(job, store, progress=deaf, seconds_between=0)
    assert store.status(digest(job)) == "interrupted"
    assert store.failure(digest(job)) is None
    assert execute(job, store) == digest(job)


def test_a_failure_is_kept_with_its_reason_and_tried_again(store):
    job = descent_job(
        60, start=lrf.Balanced(init_scale=0.1), dynamics=lrf.SteeredFlow(step=0.1)
    )
    events = []
    with pytest.raises(lrf.SpecError, match=r"keeps its matrix as U U'"):
        execute(job, store, progress=events.append)
    name = digest(job)
    assert store.status(name) == "failed"
    assert store.get(name) is None
    reason = store.failure(name)
    assert reason["error"] == "SpecError"
    assert reason["where"] == "SteeredFlow"
    assert "U U'" in reason["rule"]
    assert reason["fix"] == "Use SymmetricFactorization()"
    assert "Traceback" in reason["traceback"]
    assert [event.stage for event in events] == ["started", "failed"]
    with pytest.raises(lrf.SpecError):
        execute(job, store)


class Interrupted(BaseException):
    """Stops a run where an event is told."""


def interrupted_after(store, job, chunks):
    """A store in which this run has so many chunks behind it."""
    count = 0

    def stop(event):
        nonlocal count
        count += event.stage == "running"
        if count == chunks:
            raise Interrupted

    with pytest.raises(Interrupted):
        execute(job, store, progress=stop, seconds_between=0)
    return store.working_folder(digest(job))


JOB = descent_job(600)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("whole"))
    return store.get(execute(JOB, store))


def first_records(store):
    events = []
    execute(JOB, store, progress=events.append)
    return next(event for event in events if event.stage == "running").records


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def turned(path):
    content = bytearray(path.read_bytes())
    content[-200] ^= 4
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [cut, turned, emptied, text, Path.unlink])
@pytest.mark.parametrize(
    ("file", "next_records"),
    [("state-000003", 64), ("records-000003", 64), (None, 80)],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    tmp_path, whole, damage, file, next_records
):
    store = Store(tmp_path)
    folder = interrupted_after(store, JOB, 4)
    assert len(list(folder.glob("state-*"))) == 2
    if file is not None:
        damage(folder / f"{file}.part")
    assert first_records(store) == next_records
    xarray.testing.assert_identical(
        store.get(digest(JOB)).drop_attrs(), whole.drop_attrs()
    )


@pytest.mark.parametrize(
    ("file", "reason"),
    [("state-00000[23]", "a damaged file"), ("records-000000", "missing")],
)
def test_without_a_good_checkpoint_a_run_begins_again(tmp_path, whole, file, reason):
    store = Store(tmp_path)
    folder = interrupted_after(store, JOB, 4)
    for path in folder.glob(f"{file}.part"):
        if file == "records-000000":
            path.unlink()
        else:
            cut(path)
    with pytest.warns(CheckpointWarning, match=reason):
        assert first_records(store) == 16
    xarray.testing.assert_identical(
        store.get(digest(JOB)).drop_attrs(), whole.drop_attrs()
    )


def test_a_state_from_elsewhere_is_not_continued(tmp_path):
    """Another version or number of threads would end with other bits."""
    here = {"jax": "1", "threads": 1}
    checkpoints = Checkpoints(tmp_path, "d", here)
    record = {"time": 0.0, "singular_values": np.ones(3)}
    state = {"point": np.arange(3.0), "count": np.asarray(2)}

    def save():
        Checkpoints(tmp_path, "d", here).add([record], state, seconds=1.5, peak=7)

    save()
    back = checkpoints.restore(lambda: state)
    assert (back.seconds, back.peak) == (1.5, 7)
    assert np.array_equal(back.state["point"], state["point"])
    assert np.array_equal(back.records[0]["singular_values"], np.ones(3))
    for other, template, reason in (
        (Checkpoints(tmp_path, "d", {**here, "threads": 2}), state, "environment"),
        (Checkpoints(tmp_path, "e", here), state, "digest d, not e"),
        (checkpoints, {"point": np.ones(3)}, "another structure"),
        (checkpoints, {**state, "point": np.ones(4)}, r"where .*\(4,\)"),
        (checkpoints, {**state, "count": np.asarray(2.0)}, r"where .*float64"),
    ):
        save()
        with pytest.warns(CheckpointWarning, match=reason):
            assert other.restore(lambda made=template: made) is None
    assert checkpoints.restore(lambda: state) is None


LIMITED = """
import resource, signal, sys
sys.path.insert(0, {tests!r})
import lowrankflow as lrf
from small_jobs import descent_job
from lowrankflow.store import Store, execute
import xarray, h5py
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
try:
    execute(descent_job(600), Store({folder!r}), seconds_between=0)
except lrf.StoreError as error:
    print(error)
    sys.exit(7)
"""


@pytest.mark.parametrize("size", [2_000, pytest.param(40_000, marks=pytest.mark.slow)])
def test_a_full_disk_ends_in_a_message_and_an_intact_store(store, whole, size):
    """The system refuses files above a size, as it refuses those on a full disk."""
    tests = str(Path(__file__).parent)
    program = LIMITED.format(size=size, folder=str(store.folder), tests=tests)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
    assert "there is room on the disk; what was stored before is intact" in done.stdout
    assert list(store.folder.rglob("*.partial")) == []
    assert store.get(RUN) is not None
    # Files of 40 kB are enough for checkpoints, and not for the result.
    states = list(store.working_folder(digest(JOB)).glob("state-*"))
    assert len(states) == (0 if size < 5000 else 2)
    execute(JOB, store)
    xarray.testing.assert_identical(
        store.get(digest(JOB)).drop_attrs(), whole.drop_attrs()
    )


TINY_DISK = """
mount -t tmpfs -o size=200k none {disk} || exit 3
{python} {program} {disk} 3000; echo "exit code $?"
find {disk} -name '*.partial'
mount -o remount,size=4M {disk}
{python} {program} {disk} 3000
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a disk of its own to fill")
def test_a_disk_that_is_really_full(tmp_path):
    """A file system of 200 kB, in a name space of its own, that grows afterwards."""
    program = TINY_DISK.format(
        disk=tmp_path,
        python=sys.executable,
        program=Path(__file__).with_name("small_jobs.py"),
    )
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "bash", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "exit code" not in done.stdout:
        pytest.skip(f"no file system can be mounted here: {done.stderr[-200:]}")
    first, *partial, last = done.stdout.strip().splitlines()
    assert first == "exit code 1"
    assert "No space left on device" in done.stderr
    assert "what was stored before is intact" in done.stderr
    assert partial == []
    assert last == f"{digest(descent_job(3000))} finished"


@pytest.mark.skipif(os.name != "posix", reason="needs users and permissions")
def test_a_folder_that_cannot_be_written(store, tmp_path):
    folders = [store.folder, *store.folder.iterdir()]
    for folder in folders:
        folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:  # who may write anywhere; nobody else may here
        os.seteuid(65534)
    try:
        with pytest.raises(lrf.StoreError, match=r"may be read and written.*denied"):
            execute(descent_job(61), store)
        with pytest.raises(lrf.StoreError, match=r"may be read and written.*denied"):
            execute(descent_job(61), Store(store.folder / "inside"))
    finally:
        os.seteuid(user)
        for folder in folders:
            folder.chmod(0o755)
    assert store.get(RUN) is not None
    assert [entry.digest for entry in store.list()] == sorted([RUN, SOLUTION])


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "results").write_text("mine")
    with pytest.raises(lrf.StoreError, match="folder of results is a folder"):
        execute(reference_job(), Store(tmp_path))
    assert (tmp_path / "results").read_text() == "mine"


def test_the_checksum_is_of_the_numbers_and_not_of_the_machine():
    values = np.linspace(0, 1, 7)
    one = xarray.Dataset({"x": ("a", values)}, attrs={"n": 3, "s": "é"})
    other = xarray.Dataset(
        {"x": ("a", values.astype(">f8"))}, attrs={"s": "é", "n": np.int64(3)}
    )
    assert checksum(one) == checksum(other)
    assert checksum(one) != checksum(one.assign_attrs(n=4))
    assert checksum(one) != checksum(one.rename(x="y"))
    assert to_bytes(one)[:4] == b"\x89HDF"
