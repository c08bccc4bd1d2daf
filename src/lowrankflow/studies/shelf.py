"""The studies that this library has."""

from lowrankflow.studies.li2021 import Counterexample
from lowrankflow.studies.registry import Registry

STUDIES = Registry((Counterexample(),))
