"""Studies: the figures and theorems of the papers, run, judged and reported."""

from lowrankflow.studies.claims import (
    at_least as at_least,
    at_most as at_most,
    judged as judged,
    monotone as monotone,
    smaller_than as smaller_than,
    trend as trend,
    within as within,
)
from lowrankflow.studies.collection import (
    Axes as Axes,
    Collection as Collection,
    Failure as Failure,
    Trajectory as Trajectory,
    described as described,
)
from lowrankflow.studies.numbers import (
    duration as duration,
    memory as memory,
    readable as readable,
)
from lowrankflow.studies.papers import (
    PAPERS as PAPERS,
    Paper as Paper,
    Statement as Statement,
)
from lowrankflow.studies.provenance import provenance as provenance
from lowrankflow.studies.registry import Registry as Registry
from lowrankflow.studies.report import (
    StudyReport as StudyReport,
    contents as contents,
    write_report as write_report,
)
from lowrankflow.studies.samples import (
    Sample as Sample,
    as_sample as as_sample,
    combine as combine,
    largest as largest,
    smallest as smallest,
)
from lowrankflow.studies.shelf import STUDIES as STUDIES
from lowrankflow.studies.statistics import (
    bootstrap_interval as bootstrap_interval,
    summary as summary,
)
from lowrankflow.studies.study import (
    PROFILES as PROFILES,
    AbstractStudy as AbstractStudy,
    LabelledJob as LabelledJob,
    Profile as Profile,
)
from lowrankflow.studies.style import (
    METHODS as METHODS,
    Look as Look,
    depth_look as depth_look,
    draw as draw,
    draw_samples as draw_samples,
    method_look as method_look,
    panels as panels,
    slug as slug,
    spectrum_colors as spectrum_colors,
    styled as styled,
    themed as themed,
    to_svg as to_svg,
)
from lowrankflow.studies.verdict import (
    Outcome as Outcome,
    Region as Region,
    Verdict as Verdict,
)
