"""Studies of the flow at its current rank: own work."""

from lowrankflow.studies.scale.agreement import Agreement as Agreement
from lowrankflow.studies.scale.movielens import MovieLens as MovieLens
