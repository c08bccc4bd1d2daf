"""Studies of the flow at its current rank: own work."""

from lowrankflow.studies.scale.agreement import Agreement as Agreement
