"""Starts of a given scale: random and structured factors.

`init_scale` has one meaning for every start that has one: the root-mean-square singular
value of the end-to-end matrix, ||W(0)||_F / sqrt(min(rows, cols)); in expectation (of
its square) for Gaussian factors, exactly for the others.
"""

import numpy as np

from lowrankflow.factorizations.factorization import AbstractFactorization, largest_rank
from lowrankflow.factorizations.frames import (
    balanced_factors,
    random_frame,
    rescaled,
)
from lowrankflow.factorizations.start import AbstractStart, HostFactors, positive
from lowrankflow.factorizations.symmetric import SymmetricFactorization
from lowrankflow.problems import AbstractObjective, to_dense
from lowrankflow.seeds import generator


class Gaussian(AbstractStart):
    r"""Independent normal entries of one variance in every factor.

    The variance is such that E ||W(0)||_F^2 = init_scale^2 min(rows, cols). For square
    factors of size n it is init_scale^(2/N) / n.

    Args:
        init_scale: root-mean-square singular value of W(0), in expectation; > 0.

    Raises:
        SpecError: when the scale is not positive and finite.

    Exactness: ||W(0)||_F within a few per cent of its expectation at size 100.
    Source: arora2019, the `gaussian` start of the published code.
    Differs: the variance also accounts for rectangular factors and for U U'.
    """

    init_scale: float

    def __check_init__(self):
        positive("Gaussian(init_scale)", self.init_scale)

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        shapes = factorization.shapes(problem.shape)
        smaller = min(problem.shape)
        if isinstance(factorization, SymmetricFactorization):
            ((size, width),) = shapes
            # E tr (U U')^2 = s^4 size width (size + width + 1)
            unit = smaller / (size * width * (size + width + 1.0))
        else:
            # E ||W||_F^2 = s^(2N) d_0 d_1 ... d_N
            unit = smaller / (
                float(shapes[0][1]) * np.prod([float(r) for r, _ in shapes])
            )
        depth = factorization.num_factors_in_product
        deviation = float(self.init_scale) ** (1 / depth) * unit ** (1 / (2 * depth))
        return tuple(
            deviation * generator(seed, "start", "gaussian", j).standard_normal(shape)
            for j, shape in enumerate(shapes)
        )


class Orthogonal(AbstractStart):
    r"""Every factor a random matrix with orthonormal rows or columns, times one number.

    Balanced exactly when no hidden width is larger than one beside it (as with the
    widths of None); `Balanced` is balanced for any widths.

    Args:
        init_scale: root-mean-square singular value of W(0), exactly; > 0.

    Raises:
        SpecError: when the scale is not positive and finite.

    Exactness: exact.
    Source: arora2019, the `orthogonal` start of the published code.
    Differs: there its `init_scale` is smaller by a factor sqrt(n).
    """

    init_scale: float

    def __check_init__(self):
        positive("Orthogonal(init_scale)", self.init_scale)

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        frames = []
        for j, (rows, cols) in enumerate(factorization.shapes(problem.shape)):
            rng = generator(seed, "start", "orthogonal", j)
            tall = random_frame(rng, max(rows, cols), min(rows, cols))
            frames.append(tall if rows >= cols else tall.T)
        return rescaled(factorization, tuple(frames), self.init_scale)


class Identity(AbstractStart):
    r"""Every factor a multiple of the (rectangular) identity; W(0) = init_scale I.

    Args:
        init_scale: root-mean-square singular value of W(0), exactly; > 0.

    Raises:
        SpecError: when the scale is not positive and finite.

    Exactness: exact.
    Source: arora2019, theorem 2 and figure 3; gunasekar2017, theorem 1.
    Differs: as in the source, with the scale of the product instead of a factor's.
    """

    init_scale: float

    def __check_init__(self):
        positive("Identity(init_scale)", self.init_scale)

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        shapes = factorization.shapes(problem.shape)
        return rescaled(
            factorization, tuple(np.eye(*shape) for shape in shapes), self.init_scale
        )


class Balanced(AbstractStart):
    r"""Exactly balanced factors, all non-zero singular values equal, random frames.

    W_{j+1}' W_{j+1} = W_j W_j' for any widths; W(0) = s L R' with random orthonormal
    frames L and R of the largest rank the widths allow.

    Args:
        init_scale: root-mean-square singular value of W(0), exactly; > 0.

    Raises:
        SpecError: when the scale is not positive and finite.

    Exactness: exact.
    Source: arora2019, equation (5).
    Differs: as in the source.
    """

    init_scale: float

    def __check_init__(self):
        positive("Balanced(init_scale)", self.init_scale)

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        rank = largest_rank(factorization.shapes(problem.shape))
        rows, cols = problem.shape
        left = random_frame(generator(seed, "start", "balanced", "left"), rows, rank)
        right = random_frame(generator(seed, "start", "balanced", "right"), cols, rank)
        factors = balanced_factors(
            factorization, left, np.ones(rank), right, generator(seed, "start", "units")
        )
        return rescaled(factorization, factors, self.init_scale)


class Aligned(AbstractStart):
    r"""Balanced, with the frames of -grad f(0): W(0) = s L R' for -grad f(0) = L S R'.

    To leading order each direction then grows by its own scalar law, which makes this
    the start for theory. For U U' the frames are the eigenvectors of the symmetric part
    of -grad f(0), the largest eigenvalues first.

    Args:
        init_scale: root-mean-square singular value of W(0), exactly; > 0.

    Raises:
        SpecError: when the scale is not positive and finite.

    Exactness: exact.
    Source: li2021, section 4 (the linearization at zero).
    Differs: there the start is a multiple of the identity.
    """

    init_scale: float

    def __check_init__(self):
        positive("Aligned(init_scale)", self.init_scale)

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        rank = largest_rank(factorization.shapes(problem.shape))
        pull = -np.asarray(to_dense(problem.gradient(np.zeros(problem.shape))))
        if isinstance(factorization, SymmetricFactorization):
            _, vectors = np.linalg.eigh((pull + pull.T) / 2)
            left = right = vectors[:, ::-1][:, :rank]
        else:
            left, _, transposed = np.linalg.svd(pull, full_matrices=False)
            left, right = left[:, :rank], transposed[:rank].T
        factors = balanced_factors(factorization, left, np.ones(rank), right, None)
        return rescaled(factorization, factors, self.init_scale)
