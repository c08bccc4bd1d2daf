"""How far and where one step of descent goes, given the gradient."""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lowrankflow.dynamics.iteration import IterationState, Move
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import AbstractFactorization, positive
from lowrankflow.problems import AbstractObjective, real_number


class AbstractStepRule(eqx.Module):
    """A rule for the next step of descent.

    A rule may remember numbers between steps; they live in the state, not in the rule.
    """

    needs_whole_loss: eqx.AbstractClassVar[bool]

    @abc.abstractmethod
    def check(
        self, problem: AbstractObjective, factorization: AbstractFactorization
    ) -> None:
        """Nothing, when the rule can be used on this problem.

        Raises:
            SpecError: when it cannot.
        """

    @abc.abstractmethod
    def first_memory(self, factors: Tree) -> Tree:
        """What the rule remembers before the first step."""

    @abc.abstractmethod
    def move(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Move:
        """The step from this state; traceable."""


class ConstantStep(AbstractStepRule):
    """W_j <- W_j - learning_rate d f / d W_j.

    Args:
        learning_rate: > 0. Above 2 over the largest eigenvalue of the Hessian on the
            way the loss does not fall.

    Raises:
        SpecError: when the learning rate is not positive and finite.

    Exactness: order 1 in the learning rate, as a discretization of the flow.
    Source: arora2019, equation (4), discretized; gunasekar2017, section 5.
    Differs: gunasekar2017's constants are absorbed, see `SymmetricFactorization`.
    """

    learning_rate: float

    needs_whole_loss: ClassVar[bool] = False

    def __check_init__(self):
        positive("ConstantStep(learning_rate)", self.learning_rate)

    def check(
        self, problem: AbstractObjective, factorization: AbstractFactorization
    ) -> None:
        return None

    def first_memory(self, factors: Tree) -> Tree:
        return ()

    def move(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Move:
        rate = jnp.asarray(self.learning_rate, jnp.float64)
        return Move(along(state.point, -rate, state.gradient), (), rate)


class NormalizedStep(AbstractStepRule):
    r"""One adaptive step length for all factors: GroupRMSprop.

    With g the gradient in all factors and t = 1, 2, ... the step's number,
        v <- decay v + (1 - decay) ||g||^2, from v = 0,
        step = learning_rate / (sqrt(v / (1 - decay^t)) + eps),
        W_j <- W_j - step g_j.
    The path is that of descent; only its speed is another, and time adds up the steps.

    Args:
        learning_rate: about how far all factors together move in a step, > 0.
        decay: of the running mean, in [0, 1); 0 for the present gradient alone.
        eps: gradient norm below which steps shrink, so that descent comes to rest; > 0.

    Raises:
        SpecError: when a number is out of range.

    Exactness: order 1 in the learning rate, as a discretization of the flow.
    Source: arora2019, the authors' published code (GroupRMSprop).
    Differs: the code's loss is the mean of r^2, twice ours with normalization="mean";
        the same steps in its factors come with half its eps.
    """

    learning_rate: float
    decay: float = 0.99
    eps: float = 1e-4

    needs_whole_loss: ClassVar[bool] = False

    def __check_init__(self):
        positive("NormalizedStep(learning_rate)", self.learning_rate)
        fraction("NormalizedStep(decay)", self.decay, example="0.99")
        positive("NormalizedStep(eps)", self.eps)

    def check(
        self, problem: AbstractObjective, factorization: AbstractFactorization
    ) -> None:
        return None

    def first_memory(self, factors: Tree) -> Float[Array, ""]:
        return jnp.zeros(())

    def move(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Move:
        decay = jnp.asarray(self.decay, jnp.float64)
        mean = decay * state.memory + (1 - decay) * state.slope**2
        corrected = mean / (1 - decay ** (state.iteration + 1).astype(jnp.float64))
        rate = self.learning_rate / (jnp.sqrt(corrected) + self.eps)
        return Move(along(state.point, -rate, state.gradient), mean, rate)


class HeavyBall(AbstractStepRule):
    """Descent with momentum: v <- momentum v - learning_rate g, then W_j <- W_j + v_j.

    As the learning rate falls it follows the flow, 1 / (1 - momentum) times as fast as
    its own clock, which counts learning rates, says.

    Args:
        learning_rate: > 0.
        momentum: in [0, 1); 0 is `ConstantStep`.

    Raises:
        SpecError: when a number is out of range.

    Exactness: order 1 in the learning rate, at that speed.
    Source: polyak1964; gunasekar2017, section 3 (methods that combine gradients).
    Differs: as in the source.
    """

    learning_rate: float
    momentum: float

    needs_whole_loss: ClassVar[bool] = False

    def __check_init__(self):
        positive("HeavyBall(learning_rate)", self.learning_rate)
        fraction("HeavyBall(momentum)", self.momentum, example="0.9")

    def check(
        self, problem: AbstractObjective, factorization: AbstractFactorization
    ) -> None:
        return None

    def first_memory(self, factors: Tree) -> Tree:
        return jax.tree.map(jnp.zeros_like, factors)

    def move(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Move:
        rate = jnp.asarray(self.learning_rate, jnp.float64)
        velocity = _accelerated(self.momentum, state, rate)
        return Move(along(state.point, 1.0, velocity), velocity, rate)


class Nesterov(AbstractStepRule):
    """Momentum with the gradient taken ahead.

    In the usual words v <- momentum v - learning_rate g(W + momentum v), W <- W + v.
    The factors here are the points W + momentum v where gradients are taken, so that
    loss and gradient are those of one point and cost one evaluation; the two meet as
    the run comes to rest. The clock is that of `HeavyBall`.

    Args:
        learning_rate: > 0.
        momentum: in [0, 1); 0 is `ConstantStep`.

    Raises:
        SpecError: when a number is out of range.

    Exactness: order 1 in the learning rate, at 1 / (1 - momentum) times the clock.
    Source: nesterov1983; sutskever2013, equations 3-4.
    Differs: a fixed momentum; the points reported are those where gradients are taken.
    """

    learning_rate: float
    momentum: float

    needs_whole_loss: ClassVar[bool] = False

    def __check_init__(self):
        positive("Nesterov(learning_rate)", self.learning_rate)
        fraction("Nesterov(momentum)", self.momentum, example="0.9")

    def check(
        self, problem: AbstractObjective, factorization: AbstractFactorization
    ) -> None:
        return None

    def first_memory(self, factors: Tree) -> Tree:
        return jax.tree.map(jnp.zeros_like, factors)

    def move(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Move:
        rate = jnp.asarray(self.learning_rate, jnp.float64)
        velocity = _accelerated(self.momentum, state, rate)
        ahead = along(state.point, self.momentum, velocity)
        return Move(along(ahead, -rate, state.gradient), velocity, rate)


def along(point: Tree, length: Float[Array, ""] | float, direction: Tree) -> Tree:
    """The point moved by length x direction."""
    return jax.tree.map(lambda w, d: w + length * d, point, direction)


def fraction(where: str, value: float, *, example: str) -> None:
    """Nothing, for a number in [0, 1).

    Raises:
        SpecError: for anything else, a string that reads like a number included.
    """
    if not 0 <= real_number(value) < 1:
        raise SpecError(
            where=where,
            rule="this is a number in [0, 1)",
            got=f"{value!r}",
            fix=f"Give for example {example}",
        )


def _accelerated(
    momentum: Float[Array, ""] | float, state: IterationState, rate: Float[Array, ""]
) -> Tree:
    return jax.tree.map(
        lambda v, g: momentum * v - rate * g, state.memory, state.gradient
    )
