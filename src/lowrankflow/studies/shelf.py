"""The studies that this library has."""

from lowrankflow.studies.registry import Registry

STUDIES = Registry(())
