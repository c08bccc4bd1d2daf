"""What can be computed and kept: a run, or a reference solution, as plain data.

A job says all that decides its numbers and nothing else: two jobs are equal when they
say the same, however they were written.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

import equinox as eqx

from lowrankflow.dynamics import AbstractDynamics, Stop
from lowrankflow.errors import LowRankFlowError, SpecError
from lowrankflow.factorizations import AbstractFactorization, AbstractStart
from lowrankflow.seeds import checked_seed
from lowrankflow.simulation.agreement_job import AgreementJob
from lowrankflow.simulation.completion_job import CompletionJob
from lowrankflow.simulation.grid_job import GridJob
from lowrankflow.simulation.observers import named_observers
from lowrankflow.simulation.plain import (
    Plain,
    as_plain,
    canonical_json,
    fits,
    in_words,
    parsed_json,
)
from lowrankflow.simulation.recipes import Recipe
from lowrankflow.simulation.schedule import AbstractSchedule, GeometricIterations
from lowrankflow.simulation.simulate import check_parts
from lowrankflow.simulation.specification import from_plain, to_plain

# Raised when `records.record` gives other numbers for the same snapshot.
_RECORDS_VERSION = 1
# Raised when `min_nuclear_norm` or `min_frobenius_norm` gives other numbers.
_REFERENCE_VERSION = 3
_DEFAULT_SCHEDULE = GeometricIterations(1.05)


@dataclass(frozen=True, eq=False)
class RunJob:
    """One run, with all that decides its numbers.

    Args:
        problem: the recipe of what is to be recovered.
        factorization: in which coordinates.
        dynamics: how it moves.
        stop: when it ends; at least one rule.
        start: where it starts; needed by all dynamics but `GreedyLowRank`, for which it
            must be left out.
        seed: of all that is random in the run, >= 0; a problem has its own seed.
        schedule: when to record; `GeometricIterations(1.05)` unless given.
        observe: names of further numbers to record, see `named_observers`.

    Raises:
        SpecError: when a part is missing, of the wrong kind, or has no plain form.
    """

    problem: Recipe
    factorization: AbstractFactorization
    dynamics: AbstractDynamics[Any]
    stop: Stop
    start: AbstractStart | None = None
    seed: int = 0
    schedule: AbstractSchedule | None = None
    observe: tuple[str, ...] = ()

    kind: ClassVar[str] = "run"

    def __post_init__(self):
        _check_recipe("RunJob(problem)", self.problem)
        check_parts(self.factorization, self.dynamics, self.start, self.stop)
        if self.start is not None and type(self.dynamics).start_form == "none":
            raise SpecError(
                where="RunJob(start)",
                rule=f"{type(self.dynamics).__name__} starts at zero",
                got=f"{self.start!r}"[:200],
                fix="Leave it out",
            )
        schedule = _DEFAULT_SCHEDULE if self.schedule is None else self.schedule
        if not isinstance(schedule, AbstractSchedule):
            raise SpecError(
                where="RunJob(schedule)",
                rule="this is a schedule",
                got=f"{schedule!r}"[:200],
                fix="Give for example EveryIterations(10)",
            )
        names = self.observe if isinstance(self.observe, list | tuple) else [None]
        if not all(isinstance(name, str) for name in names):
            raise SpecError(
                where="RunJob(observe)",
                rule="these are names of observers",
                got=f"{self.observe!r}"[:200],
                fix="Give for example ('alignment_on', 'alignment_off')",
            )
        named_observers(self.observe)
        object.__setattr__(self, "schedule", schedule)
        object.__setattr__(self, "observe", tuple(self.observe))
        object.__setattr__(self, "seed", checked_seed(self.seed))
        job_to_json(self)

    @property
    def numerics(self) -> str:
        """The versions of what makes the numbers."""
        version = type(self.dynamics).numerics_version
        return f"{type(self.dynamics).__name__} {version}, records {_RECORDS_VERSION}"

    @property
    def label(self) -> str:
        """What it is, in a few words, for lists and progress."""
        parts = (self.problem, _brief(self.factorization), _brief(self.dynamics))
        start = () if self.start is None else (_brief(self.start),)
        return " | ".join(str(part) for part in (*parts, *start, f"seed {self.seed}"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunJob) and job_to_json(self) == job_to_json(other)

    def __hash__(self) -> int:
        return hash(job_to_json(self))


@dataclass(frozen=True, eq=False)
class ReferenceJob:
    """One reference solution.

    Args:
        problem: the recipe of a sensing problem.
        kind: which norm is least: "min_nuclear_norm", with a certificate, or
            "min_frobenius_norm".
        psd: over positive semidefinite matrices; for the nuclear norm only.
        gap_tolerance: relative duality gap at which the certificate holds, > 0; plays
            no part for the Frobenius norm.

    Raises:
        SpecError: when a setting is of the wrong kind or out of its range.
    """

    problem: Recipe
    kind: Literal["min_nuclear_norm", "min_frobenius_norm"] = "min_nuclear_norm"
    psd: bool = False
    gap_tolerance: float = 1e-8

    def __post_init__(self):
        _check_recipe("ReferenceJob(problem)", self.problem)
        for name, annotation in (
            ("kind", Literal["min_nuclear_norm", "min_frobenius_norm"]),
            ("psd", bool),
            ("gap_tolerance", float),
        ):
            value = getattr(self, name)
            if not fits(value, annotation):
                raise SpecError(
                    where=f"ReferenceJob({name})",
                    rule=f"this is {in_words(annotation)}",
                    got=f"{value!r}"[:200],
                    fix="Leave it out for the usual value",
                )
        if not 0 < self.gap_tolerance < float("inf"):
            raise SpecError(
                where="ReferenceJob(gap_tolerance)",
                rule="the relative gap asked for is a positive, finite number",
                got=f"{self.gap_tolerance!r}",
                fix="Give for example 1e-8",
            )
        if self.psd and self.kind == "min_frobenius_norm":
            raise SpecError(
                where="ReferenceJob(psd)",
                rule="only the nuclear norm is minimized over p.s.d. matrices",
                got="psd=True with min_frobenius_norm",
                fix="Leave psd out",
            )
        job_to_json(self)

    @property
    def numerics(self) -> str:
        """The version of what makes the numbers."""
        return f"{self.kind} {_REFERENCE_VERSION}"

    @property
    def label(self) -> str:
        """What it is, in a few words, for lists and progress."""
        cone = " (p.s.d.)" if self.psd else ""
        return f"{self.problem} | {self.kind}{cone}"

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, ReferenceJob)
        return same and job_to_json(self) == job_to_json(other)

    def __hash__(self) -> int:
        return hash(job_to_json(self))


Job: TypeAlias = RunJob | ReferenceJob | GridJob | CompletionJob | AgreementJob
_JOBS: dict[str, type[Job]] = {
    "run": RunJob,
    "grid": GridJob,
    "completion": CompletionJob,
    "agreement": AgreementJob,
    "min_nuclear_norm": ReferenceJob,
    "min_frobenius_norm": ReferenceJob,
}


def job_to_plain(job: Job) -> dict[str, Plain]:
    """A job as plain data: its kind and its fields.

    The kind is "run", "grid", "completion", "agreement" or which norm is least.

    Raises:
        SpecError: when a part of it has no plain form, such as a function.

    Exactness: exact; `job_from_plain` gives an equal job back.
    """
    if not isinstance(job, Job):
        raise SpecError(
            where="job_to_plain(job)",
            rule="a job is a RunJob, ReferenceJob, GridJob, CompletionJob or "
            "AgreementJob",
            got=f"{type(job).__name__}",
            fix="Give for example ReferenceJob(Recipe('lift', {'of': recipe}))",
        )
    plain: dict[str, Plain] = {"kind": job.kind}
    for field in fields(job):
        value = getattr(job, field.name)
        own = isinstance(value, Recipe)
        plain[field.name] = value.to_plain() if own else to_plain(value)
    return plain


def job_from_plain(plain: object) -> Job:
    """The job that `job_to_plain` made plain; fields with defaults may be left out.

    Raises:
        SpecError: for anything else, with what is wrong and where.
    """
    where = "job_from_plain(plain)"
    data = as_plain(where, plain)
    if not isinstance(data, dict):
        raise SpecError(
            where=where,
            rule="a job is a table with its kind and fields",
            got=f"{data!r}"[:200],
            fix='Give for example {"kind": "min_nuclear_norm", "problem": {...}}',
        )
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _JOBS:
        close = difflib.get_close_matches(str(kind), _JOBS, n=1)
        raise SpecError(
            where=f"{where}: kind",
            rule=f"the kinds of jobs are {', '.join(_JOBS)}",
            got=f"{kind!r}"[:200],
            fix=f"Did you mean {close[0]!r}?" if close else 'Give "kind": "run"',
        )
    chosen = _JOBS[kind]
    if chosen is not ReferenceJob:
        del data["kind"]
    _check_fields(where, chosen, data)
    return _as_spec_error(where, lambda: chosen(**_objects(where, data)))


def job_to_json(job: Job) -> str:
    """Canonical JSON of a job: equal jobs have equal texts.

    Raises:
        SpecError: when a part of it has no plain form.
    """
    return canonical_json(job_to_plain(job))


def job_from_json(text: str) -> Job:
    """The job that `job_to_json` wrote.

    Raises:
        SpecError: when it is no JSON, or no job.
    """
    return job_from_plain(parsed_json("job_from_json(text)", text))


def _objects(where: str, data: Mapping[str, Plain]) -> dict[str, Any]:
    """The fields as the objects that they describe."""
    return {
        name: Recipe.from_plain(value) if name == "problem" else from_plain(value)
        for name, value in data.items()
    }


def _check_fields(where: str, chosen: type, data: Mapping[str, Plain]) -> None:
    known = inspect.signature(chosen).parameters
    unknown = [name for name in data if name not in known]
    missing = [
        name
        for name, parameter in known.items()
        if name not in data and parameter.default is inspect.Parameter.empty
    ]
    if unknown or missing:
        close = difflib.get_close_matches(unknown[0], known, n=1) if unknown else []
        raise SpecError(
            where=f"{where}: {chosen.__name__}",
            rule=f"its fields are {', '.join(known)}",
            got=f"unknown {unknown}, missing {missing}"[:300],
            fix=f"Did you mean {close[0]!r}?" if close else "Correct the names",
        )


def _as_spec_error(where: str, make: Callable[[], Job]) -> Job:
    """What is made, any refusal of it a SpecError: it is the specification's fault."""
    try:
        return make()
    except SpecError:
        raise
    except LowRankFlowError as error:
        raise SpecError(
            where=error.where, rule=error.rule, got=error.got, fix=error.fix
        ) from error


def _check_recipe(where: str, problem: object) -> None:
    if not isinstance(problem, Recipe):
        raise SpecError(
            where=where,
            rule="a job names its problem by a recipe, so that it can be built again",
            got=f"{type(problem).__name__}",
            fix='Give for example Recipe("named", {"name": "li2021-4x4"})',
        )


def _brief(setting: eqx.Module) -> str:
    """A setting with its short fields, as one would say it."""
    shown = []
    for field in fields(setting):  # pyright: ignore[reportArgumentType]
        value = getattr(setting, field.name)
        if isinstance(value, int | float | str) and value != field.default:
            said = f"{value:g}" if isinstance(value, float) else str(value)
            shown.append(f"{field.name}={said}")
    return f"{type(setting).__name__}({', '.join(shown)})"
