"""A figure or a theorem of a paper: what is asked, which runs answer it, how to judge.

A study is data and three functions. `jobs` lists the runs of a profile, each with the
axes it stands for; nothing is run here. `claims` and `figure` are functions of the
finished runs alone, so that judging or drawing again computes nothing again. The
statements of the paper stand in the study as data, so that every verdict can say what
the paper says and where.
"""

import abc
import dataclasses
import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.errors import SpecError
from lowrankflow.studies.collection import AxisValue, Collection, described
from lowrankflow.studies.papers import PAPERS, Paper, Statement
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lowrankflow.simulation import Job

PROFILES = ("smoke", "quick", "paper")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """How much of a study is run.

    Args:
        settings: what a reader must know to repeat it: sizes, scales, tolerances.
        num_seeds: how many seeds, unless asked otherwise.
        expected_seconds: wall time on two cores.
        differs: how it departs from the paper's setting; "as in the paper" if not.
    """

    settings: Mapping[str, str | int | float]
    num_seeds: int
    expected_seconds: float
    differs: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelledJob:
    """A run to be made, and what it stands for in the study.

    Args:
        axes: what was varied, by name; "seed" among them where there is chance.
        job: a `RunJob`, `ReferenceJob`, `GridJob`, `CompletionJob` or `AgreementJob`.
    """

    axes: Mapping[str, AxisValue]
    job: "Job"


class AbstractStudy(abc.ABC):
    """One figure or theorem of one paper, to be reproduced and judged.

    A final class gives the attributes and the three functions.

    Args:
        key: the paper's key and the place, for example "arora2019/figure2".
        title: what it is, in a few words.
        question: what it answers, as a question.
        statements: what the paper says, each with its source.
        profiles: "smoke" (seconds, for tests), "quick" (minutes, on two cores) and
            "paper" (the paper's own settings).
        figure_text: what the figure shows, for those who cannot see it.
        data_licence: of real data used; empty when the data are made.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    statements: ClassVar[tuple[Statement, ...]]
    profiles: ClassVar[Mapping[str, Profile]]
    figure_text: ClassVar[str]
    data_licence: ClassVar[str] = ""

    @abc.abstractmethod
    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        """The runs of a profile; called by `plan`, with arguments that were checked."""

    @abc.abstractmethod
    def claims(self, collection: Collection) -> list[Verdict]:
        """What the runs say of the statements; a pure function of the collection."""

    @abc.abstractmethod
    def figure(self, collection: Collection) -> "Figure":
        """The figure; pure. `draw` calls it, with the style of all figures in force."""

    @property
    def paper(self) -> Paper:
        """The paper that the study is of."""
        return PAPERS[self.key.partition("/")[0]]

    def statement(self, key: str) -> Statement:
        """One of the study's statements."""
        found = [statement for statement in self.statements if statement.key == key]
        assert len(found) == 1, f"{self.key} has {len(found)} statements {key!r}"
        return found[0]

    def profile(self, name: str) -> Profile:
        """One of the profiles.

        Raises:
            SpecError: when the study has no such profile.
        """
        if name not in self.profiles:
            close = difflib.get_close_matches(name, self.profiles, n=1)
            raise SpecError(
                where=f"{self.key} (profile)",
                rule="its profiles are " + ", ".join(self.profiles),
                got=f"{name!r}",
                fix=f"Did you mean {close[0]!r}?" if close else 'Give "quick"',
            )
        return self.profiles[name]

    def plan(self, profile: str, num_seeds: int | None = None) -> list[LabelledJob]:
        """The runs of a profile, each with other axes.

        Args:
            profile: "smoke", "quick" or "paper".
            num_seeds: how many seeds; the profile's own number without it.

        Raises:
            SpecError: when there is no such profile, or no positive number of seeds.
        """
        chosen = self.profile(profile)
        count = chosen.num_seeds if num_seeds is None else num_seeds
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise SpecError(
                where=f"{self.key} (num_seeds)",
                rule="the number of seeds is an integer >= 1",
                got=f"{count!r}",
                fix="Give for example 3",
            )
        jobs = self.jobs(profile, count)
        seen = set()
        for labelled in jobs:
            axes = tuple(sorted(labelled.axes.items()))
            assert axes not in seen, f"{self.key}: twice {described(labelled.axes)}"
            seen.add(axes)
        return jobs
