"""The studies that this library has."""

from lowrankflow.studies.arora2019 import Figure1, Figure2, Figure3
from lowrankflow.studies.li2021 import Counterexample
from lowrankflow.studies.registry import Registry

STUDIES = Registry((Figure1(), Figure2(), Figure3(), Counterexample()))
