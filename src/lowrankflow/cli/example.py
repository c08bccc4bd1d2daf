"""The file that `lowrankflow run --example` prints."""

EXAMPLE = """\
# A run of lowrankflow. Make it with:
#
#     lowrankflow run --example > spec.toml
#     lowrankflow run spec.toml
#
# A list in place of a single value is swept: this file asks for six runs, three starts
# at two depths. Where a list is a value by itself (shape below), sweep it by its name
# in the table [sweep].

kind = "run"        # or "min_nuclear_norm", "min_frobenius_norm": a reference solution,
                    # which needs the table [problem] only (and psd, gap_tolerance)
seed = [0, 1, 2]    # of the start; a problem has its own
observe = []        # further numbers to record, for example ["numerical_rank_1e-3"]

[problem]           # what is to be recovered
kind = "planted_completion"
shape = [20, 15]
rank = 2
num_observed = 150
seed = 0

[factorization]     # in which coordinates: DeepFactorization, SymmetricFactorization
kind = "DeepFactorization"
depth = [2, 3]

[dynamics]          # how it moves: GradientFlow, EndToEndFlow, GradientDescent, ...
kind = "GradientFlow"
rtol = 1e-6
atol = 1e-9

[start]             # from where; left out for GreedyLowRank
kind = "Gaussian"
init_scale = 1e-3

[stop]              # the first rule that holds ends the run
loss = 1e-8
iterations = 20000

[schedule]          # when to record
kind = "GeometricIterations"
ratio = 1.05

# [sweep]           # axes by name; they take the place of values above
# "dynamics.rtol" = [1e-4, 1e-6]
# "problem.shape" = [[20, 15], [15, 20]]
"""
