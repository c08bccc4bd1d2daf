"""The studies that this library has."""

from lowrankflow.studies import arora2019, gunasekar2017, li2021, razin2020, scale
from lowrankflow.studies.registry import Registry

STUDIES = Registry(
    (
        gunasekar2017.Figure1(),
        gunasekar2017.Figure2(),
        gunasekar2017.Figure3(),
        gunasekar2017.Figure4(),
        gunasekar2017.Theorem1(),
        gunasekar2017.Corollary2(),
        gunasekar2017.Warmup(),
        gunasekar2017.Controls(),
        arora2019.Figure1(),
        arora2019.Figure2(),
        arora2019.Figure3(),
        arora2019.Figure3Sensing(),
        arora2019.Completion(),
        arora2019.WhichNorm(),
        arora2019.Theorem2(),
        arora2019.Proposition1(),
        arora2019.Lemma1(),
        arora2019.Theorem3(),
        arora2019.Lemma2(),
        arora2019.Corollary1(),
        arora2019.SingleMeasurement(),
        li2021.Figure1(),
        li2021.Figure2(),
        li2021.Figure5(),
        li2021.Counterexample(),
        li2021.Basin(),
        li2021.Escape(),
        li2021.Theorems(),
        li2021.Recovery(),
        li2021.GreedyPaths(),
        razin2020.Norms(),
        scale.Agreement(),
        scale.MovieLens(),
    )
)
