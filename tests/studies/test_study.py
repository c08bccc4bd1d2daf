import inspect

import pytest
from toy import Toy, collection

from lowrankflow import studies
from lowrankflow.errors import SpecError
from lowrankflow.studies import AbstractStudy, LabelledJob, Outcome, Registry


class Other(AbstractStudy):
    key = "li2021/theorem5"
    title = "Other"
    question = "Why?"
    statements = ()
    profiles = Toy.profiles
    figure_text = "Nothing."

    def jobs(self, profile, num_seeds):
        return [LabelledJob(axes={"seed": 0}, job=None)] * 2

    def claims(self, collection):
        return []

    def figure(self, collection):
        raise NotImplementedError


TWO = Registry((Toy(), Other()))


def test_studies_are_abstract_or_final():
    assert inspect.isabstract(AbstractStudy)
    for study in studies.STUDIES:
        assert type(study).__mro__[1] is AbstractStudy
        assert not inspect.isabstract(type(study))


def test_a_plan_has_the_seeds_asked_for():
    assert len(Toy().plan("quick")) == 6
    assert len(Toy().plan("smoke", 1)) == 2
    assert Toy().plan("quick", 2)[1].axes == {"depth": 2, "seed": 1}
    with pytest.raises(AssertionError, match="twice seed 0"):
        Other().plan("quick")


@pytest.mark.parametrize(
    ("profile", "num_seeds", "message"),
    [
        ("quik", None, "Did you mean 'quick'"),
        ("x", None, "smoke, quick, paper"),
        ("quick", 0, "integer >= 1"),
        ("quick", True, "integer >= 1"),
        ("quick", 1.0, "integer >= 1"),
    ],
)
def test_a_plan_that_cannot_be(profile, num_seeds, message):
    with pytest.raises(SpecError, match=message):
        Toy().plan(profile, num_seeds)


def test_studies_are_found_by_key_and_by_paper():
    assert [s.key for s in TWO.find()] == ["arora2019/toy", "li2021/theorem5"]
    assert [s.key for s in TWO.find(["li2021"])] == ["li2021/theorem5"]
    both = TWO.find(["li2021/theorem5", "arora2019", "arora2019/toy"])
    assert [s.key for s in both] == ["arora2019/toy", "li2021/theorem5"]
    assert len(TWO) == 2


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("arora2019/toi", "'arora2019/toy'"),
        ("arora", "'arora2019'"),
        ("theorem5", "'li2021/theorem5'"),
        ("zzz", "List them"),
    ],
)
def test_an_unknown_study(name, nearest):
    with pytest.raises(SpecError, match=nearest):
        TWO.find([name])


def test_a_registry_refuses_what_is_no_study():
    with pytest.raises(AssertionError, match="twice"):
        Registry((Toy(), Toy()))
    wrong = type("Wrong", (Other,), {"key": "nobody2000/figure1"})
    with pytest.raises(AssertionError, match="no such paper"):
        Registry((wrong(),))


def test_the_same_study_supported_contradicted_undecided():
    def outcomes(runs):
        return [verdict.outcome for verdict in Toy().claims(runs)]

    good = collection({2: [0.3, 0.4], 3: [0.01, 0.02]})
    bad = collection({2: [0.3, 0.4], 3: [0.9, 0.8]})
    failed = ({"method": "flow", "depth": 3, "seed": 2}, "no memory")
    assert outcomes(good) == [Outcome.SUPPORTED] * 2
    assert outcomes(bad) == [Outcome.CONTRADICTED] * 2
    partial = collection({2: [0.3, 0.4], 3: [0.01, 0.02]}, [failed])
    assert outcomes(partial) == [Outcome.UNDECIDED] * 2
