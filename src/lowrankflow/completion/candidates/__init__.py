"""What a table may be completed by: effects, paths, flows, and how they compare."""

from lowrankflow.completion.candidates.plan import METHODS as METHODS
from lowrankflow.completion.candidates.search import Found as Found, search as search
