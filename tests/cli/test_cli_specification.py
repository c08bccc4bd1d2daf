"""From TOML to jobs: sweeps, and every mistake at its key and line."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow.cli.example import EXAMPLE
from lowrankflow.cli.specification import SweptJob, read_jobs
from lowrankflow.cli.toml_file import TomlFile, read_toml
from lowrankflow.errors import SpecError
from lowrankflow.simulation import ReferenceJob, RunJob

SPEC = """
seed = 3
[problem]
kind = "planted_completion"
shape = [6, 5]
rank = 1
num_observed = 20
seed = 0
[factorization]
kind = "DeepFactorization"
depth = 2
[dynamics]
kind = "GradientFlow"
rtol = 1e-4
atol = 1e-6
[start]
kind = "Gaussian"
init_scale = 0.1
[stop]
iterations = 5
"""


def read(text, *overrides):
    return read_jobs(TomlFile(name="spec.toml", text=text, overrides=overrides))


def with_line(old, new):
    assert old in SPEC
    return SPEC.replace(old, new)


def test_a_file_is_a_run():
    (one,) = read(SPEC)
    assert one.axes == {}
    job = one.job
    assert isinstance(job, RunJob)
    assert (job.seed, job.stop.iterations, job.stop.loss) == (3, 5, None)
    assert job.problem.arguments["shape"] == [6, 5]
    assert (job.factorization.depth, job.factorization.widths) == (2, None)


def test_a_file_is_a_reference_solution():
    text = 'kind = "min_nuclear_norm"\n' + SPEC[SPEC.index("[problem") :]
    text = text[: text.index("[factorization")]
    (one,) = read(text)
    assert isinstance(one.job, ReferenceJob)
    kinds = read(text.replace('"min_nuclear_norm"', '["min_nuclear_norm"]'))
    assert kinds[0].axes == {"kind": "min_nuclear_norm"}


def test_the_example_is_a_sweep():
    jobs = read(EXAMPLE)
    assert [one.axes for one in jobs] == [
        {"seed": seed, "factorization.depth": depth}
        for seed in (0, 1, 2)
        for depth in (2, 3)
    ]
    assert len({one.job for one in jobs}) == 6


@pytest.mark.parametrize(
    ("old", "new", "axis", "values"),
    [
        ("rtol = 1e-4", "rtol = [1e-4, 1e-5]", "dynamics.rtol", [1e-4, 1e-5]),
        ("rank = 1", "rank = [1, 2]", "problem.rank", [1, 2]),
        (
            "shape = [6, 5]",
            "shape = [[6, 5], [5, 6]]",
            "problem.shape",
            [[6, 5], [5, 6]],
        ),
        (
            '"Gaussian"',
            '["Gaussian", "Orthogonal"]',
            "start.kind",
            ["Gaussian", "Orthogonal"],
        ),
        ("depth = 2", "depth = 2\nwidths = [5, 4, 6]", None, None),
        (
            '[start]\nkind = "Gaussian"\ninit_scale = 0.1',
            '[[start]]\nkind="Gaussian"\ninit_scale=0.1\n'
            '[[start]]\nkind="RandomPSD"\nfrobenius_norm=1.0\nof="matrix"',
            "start",
            [
                {"kind": "Gaussian", "init_scale": 0.1},
                {"kind": "RandomPSD", "frobenius_norm": 1.0, "of": "matrix"},
            ],
        ),
        (
            '[dynamics]\nkind = "GradientFlow"\nrtol = 1e-4\natol = 1e-6',
            '[dynamics]\nkind="GradientDescent"\n'
            'step={kind="ConstantStep", learning_rate=[0.1, 0.2]}',
            "dynamics.step.learning_rate",
            [0.1, 0.2],
        ),
        ("[stop]", '[schedule]\nkind="AtTimes"\ntimes=[1.0, 2.0]\n[stop]', None, None),
        (
            "[stop]",
            '[schedule]\nkind="AtTimes"\ntimes=[1.0]\n[sweep]\n'
            '"schedule.times"=[[1.0], [2.0]]\n[stop]',
            "schedule.times",
            [[1.0], [2.0]],
        ),
        (
            "[stop]",
            "[sweep]\ndynamics.rtol=[1e-3, 1e-4]\n[stop]",
            "dynamics.rtol",
            [1e-3, 1e-4],
        ),
        ("seed = 3", 'observe = ["distance"]', None, None),
    ],
)
def test_which_lists_are_axes(old, new, axis, values):
    jobs = read(with_line(old, new))
    found = [one.axes for one in jobs]
    assert found == ([{}] if axis is None else [{axis: value} for value in values])
    assert len({one.job for one in jobs}) == len(jobs)


def test_parameters_of_a_named_problem_are_swept():
    start = SPEC.index("[problem]")
    named = '[problem]\nkind="named"\nname="li2021-4x4"\nparameters={R=[2.0, 3.0]}\n'
    text = SPEC[:start] + named + SPEC[SPEC.index("[factorization]") :]
    jobs = read(text)
    assert [one.axes for one in jobs] == [
        {"problem.parameters.R": 2.0},
        {"problem.parameters.R": 3.0},
    ]
    nested = text.replace(
        named, '[problem]\nkind="lift"\nof={kind="named", name=["li2021-4x4"]}\n'
    )
    assert [one.axes for one in read(nested)] == [{"problem.of.name": "li2021-4x4"}]


def test_axes_multiply_and_the_last_changes_fastest():
    text = with_line("[stop]", '[sweep]\n"dynamics.rtol"=[1e-3, 1e-4]\n[stop]')
    jobs = read(text, "seed=[0, 1]")
    assert [tuple(one.axes.values()) for one in jobs] == [
        (0, 1e-3),
        (0, 1e-4),
        (1, 1e-3),
        (1, 1e-4),
    ]


def test_overrides_are_toml_and_bare_words_are_strings():
    (one,) = read(
        SPEC, "start.kind=Orthogonal", "stop.loss = 1e-3", "problem.shape=[4, 5]"
    )
    assert type(one.job.start).__name__ == "Orthogonal"
    assert one.job.stop.loss == 1e-3
    assert one.job.problem.arguments["shape"] == [4, 5]
    swept = read(SPEC, 'sweep."dynamics.rtol"=[1e-3, 1e-4]')
    assert len(swept) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rank = 1", "rank 1", r"spec.toml, line 6, column 6`: this is TOML"),
        ("rank = 1", "rank = 1\nrank = 2", r"spec.toml, line 7, column .*overwrite"),
        ("iterations = 5\n", 'x = "', "spec.toml, end of document`: this is TOML"),
        ("rtol", "rtl", r"line 14, dynamics.rtl`: .*Did you mean 'rtol'"),
        ("num_observed", "observed", r"line 7, problem.observed`: its arguments are"),
        ("[dynamics]", "[dinamics]", r"line 12, dinamics`.*Did you mean 'dynamics'"),
        ("rtol = 1e-4", 'rtol = "small"', r"line 14, dynamics.rtol`: this is a number"),
        ("rtol = 1e-4", "rtol = true", r"line 14, dynamics.rtol`: this is a number"),
        ("rtol = 1e-4", "rtol = []", r"dynamics.rtol`: this is a number. Got \[\]"),
        ("rtol = 1e-4", "rtol = 1979-05-27", r"dynamics.rtol`: this is a number. Got"),
        ("rtol = 1e-4", "rtol = -1.0", r"line 14, dynamics.rtol`"),
        ("rtol = 1e-4", "rtol = nan", r"line 14, dynamics.rtol`: a number is finite"),
        ("rank = 1", 'rank = "one"', r"line 6, problem.rank`: this is an integer"),
        ("rank = 1", "rank = []", r"line 6, problem.rank`: this is an integer"),
        ("rank = 1\n", "", r"line 3, problem`: it needs the argument 'rank'"),
        ("atol = 1e-6\n", "", r"line 12, dynamics`: GradientFlow needs 'atol'"),
        ("init_scale = 0.1", "init_scale = 0", r"line 18, start.init_scale`: .*Got 0"),
        ('"Gaussian"', '"Gausian"', r"line 17, start.kind`.*Did you mean 'Gaussian'"),
        ('"Gaussian"', "1", r"line 17, start.kind`: the kinds of start are Aligned"),
        (
            '"GradientFlow"',
            '"Gaussian"',
            r"line 13, dynamics.kind`: the kinds of dynamics are",
        ),
        ('kind = "Gaussian"\n', "", r"line 16, start`: the kinds of start.* Got none"),
        ("planted_comp", "plant_comp", r"problem.*Did you mean 'planted_completion'"),
        (
            SPEC[SPEC.index("[dyn") : SPEC.index("[start")],
            "",
            r"needs the table \[dynamics\]",
        ),
        ("seed = 3", "seed = -3", r"line 2, seed`: a seed is an integer >= 0"),
        ("seed = 3", 'kind = "runn"', r"line 2, kind`: .*Did you mean 'run'"),
        ("rank = 1", "rank = 07:32:00", r"line 6, problem.rank`: a value is a number"),
        ("iterations = 5", "iterations = 5\nseed = 1", r"above the first \[table\]"),
        ("iterations = 5", "", r"line 19, stop`: a run needs at least one rule"),
        ("[stop]", "[sweep]\nx.y=1\n[stop]", r"sweep.x.y`: an axis is a list"),
        ("[stop]", "[sweep]\nseed=[]\n[stop]", r"line 20, sweep.seed`: an axis"),
        ("[stop]", "[sweep]\n'seed.x'=[1]\n[stop]", r"seed`: what is swept is in"),
        ("[stop]", "[sweep]\nbogus=[1]\n[stop]", r"bogus`: the keys of a file"),
        ("seed = 3", f"seed = {list(range(10_001))}", r"10000 runs at most. Got 10001"),
        ("seed = 3", 'observe = ["nothing"]', r"line 2, observe`: the observers are"),
        ("seed = 3", f"observe = {'[' * 60}{']' * 60}", r"nesting deeper"),
    ],
)
def test_a_mistake_is_told_at_its_key_and_line(old, new, message):
    with pytest.raises(SpecError, match=message):
        read(with_line(old, new))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rtol", "--set rtol`: this is a key, an equals sign and a value"),
        ("=1", "--set =1`: this is a key"),
        ("dynamics.rtol=[1", r"--set dynamics.rtol=\[1`: the value is written as in"),
        ("dynamics.rtol=two words", "the value is written as in TOML"),
        ("dynamics.rtol=small", "--set dynamics.rtol`: this is a number. Got 'small'"),
        ("dynamics.rtl=1", "--set dynamics.rtl`: the keys of GradientFlow are"),
        ("start.init_scale=-1.0", "--set start.init_scale`"),
        ("problem=7", "--set problem`"),
        ("start=7", "--set start`: this is a table, with the kind of start"),
    ],
)
def test_a_mistake_of_an_override_is_told_as_such(override, message):
    with pytest.raises(SpecError, match=message):
        read(SPEC, override)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SpecError, match="Got No such file.*run --example > spec.toml"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="Got Is a directory"):
        read_toml(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"a = 1\nb = '\xe9'\n")
    with pytest.raises(SpecError, match="Got the byte 0xe9 on line 2"):
        read_toml(tmp_path / "latin.toml")


def test_lines_are_those_where_a_key_is_given():
    text = "a = 1\n\n# b = 0\nb = [\n  1,\n]\n[c]\nd.e = '''\nb = 2\n'''\n[f.g]\n"
    source = TomlFile(name="x", text=text)
    lines = {
        "a": 1,
        "b": 4,
        "c": 7,
        "c.d": 8,
        "c.d.e": 8,
        "f": 11,
        "f.g": 11,
        "z": None,
    }
    for keys, line in lines.items():
        assert source.line_of(tuple(keys.split("."))) == line


# --- anything at all


def toml(value):
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value) if isinstance(value, str) else repr(value)


NAMES = (
    "kind seed observe problem factorization dynamics start stop schedule sweep psd "
    "gap_tolerance shape rank num_observed of name parameters depth widths rtol atol "
    "init_scale loss time iterations times ratio step learning_rate "
    "dynamics.rtol problem.shape x"
)
WORDS = st.sampled_from(NAMES.split())
SETTINGS = (
    "run min_nuclear_norm named lift entries planted_completion DeepFactorization "
    "SymmetricFactorization GradientFlow GradientDescent GreedyLowRank SteeredFlow "
    "ConstantStep NormalizedStep Gaussian GivenFactors Aligned SpectralOptimum "
    "AtTimes OnlyEnds Stop li2021-4x4"
)
KINDS = st.sampled_from(SETTINGS.split())
PLAIN = (
    st.none().map(lambda _: 1)
    | st.booleans()
    | st.integers(-3, 12)
    | st.integers()
    | st.floats()
    | KINDS
    | st.text(max_size=4)
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS, inner, max_size=3)
        | st.fixed_dictionaries({"kind": KINDS}, optional={"step": inner, "of": inner})
    ),
    max_leaves=6,
)
OVERRIDES = st.lists(
    st.tuples(st.lists(WORDS, min_size=1, max_size=3), VALUES).map(
        lambda pair: f"{'.'.join(map(json.dumps, pair[0]))}={toml(pair[1])}"
    ),
    max_size=4,
)


def jobs_or_a_spec_error(text, overrides=()):
    try:
        jobs = read(text, *overrides)
    except SpecError:
        return
    assert jobs
    assert all(isinstance(one, SweptJob) for one in jobs)


@settings(max_examples=150, deadline=None)
@given(overrides=OVERRIDES)
def test_any_change_of_a_file_gives_jobs_or_a_spec_error(overrides):
    jobs_or_a_spec_error(SPEC, overrides)


@settings(max_examples=100, deadline=None)
@given(tables=st.dictionaries(WORDS, VALUES, max_size=5))
def test_any_toml_gives_jobs_or_a_spec_error(tables):
    lines = [f"{json.dumps(key)} = {toml(value)}" for key, value in tables.items()]
    jobs_or_a_spec_error("\n".join(lines))


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.characters(), max_size=60), at=st.integers(0, 300))
def test_any_text_gives_jobs_or_a_spec_error(text, at):
    jobs_or_a_spec_error(text)
    jobs_or_a_spec_error(SPEC[:at] + text + SPEC[at:])
