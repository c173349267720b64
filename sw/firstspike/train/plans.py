"""The parts of a recipe: layers, training, objective, pruning; docs/recipes.md."""

from __future__ import annotations

from dataclasses import dataclass

from firstspike.spec import WeightKind

__all__ = ["LayerPlan", "Objective", "Prune", "Training"]


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A dense layer to be trained: its name, neurons, kind of weights and bits of a weight."""

    name: str
    neurons: int
    kind: WeightKind
    weight_bits: int


@dataclass(frozen=True, slots=True)
class Training:
    """How the weights are found.

    Attributes
    ----------
    seed, epochs, batch : int
        Start of the random numbers; passes over the training images; images of a step.
    learning_rate : float
        Largest one; it rises over the first epoch and falls to 0 along a cosine.
    float_epochs : int
        Epochs at the start with weights that are not yet quantised.
    frozen : float
        Share of the epochs at the end in which thresholds no longer follow batch statistics.
    input_dropout : float
        Share of input spikes (STEP) or pixels (RAMP) that are left out in training.
    hidden_dropout : float
        Share of hidden spikes that are left out in training.
    shift : int
        Training images are moved by up to this many pixels each way.
    flip : bool
        Whether half of the training images are mirrored left to right.
    """

    seed: int
    epochs: int
    batch: int
    learning_rate: float
    float_epochs: int
    frozen: float
    input_dropout: float
    hidden_dropout: float
    shift: int
    flip: bool


@dataclass(frozen=True, slots=True)
class Objective:
    """What a STEP network is asked to do at each time step; docs/training.md has the formulas.

    Attributes
    ----------
    gate : float
        Weight of the term that keeps outputs below their thresholds until they may fire.
    caution : float
        How much worse a wrong output over its threshold is than a right one under it, at step 0.
    caution_end : float
        The same at the last step; between them it changes by equal factors.
    last : float
        Weight of the cross-entropy at the last step; at step 0 it is ``first``.
    first : float
        Weight of the cross-entropy at step 0; between them it changes by equal amounts.
    mean_step : float
        Largest mean decision step, as a share of T, that calibration may choose.
    forced : float
        Largest share of images without a decision that calibration may choose.
    """

    gate: float
    caution: float
    caution_end: float
    first: float
    last: float
    mean_step: float
    forced: float


@dataclass(frozen=True, slots=True)
class Prune:
    """Magnitude pruning while training (RAMP): the smallest weights of each layer become 0.

    Attributes
    ----------
    share : float
        Share of the weights that are 0 in the end.
    begin, end : float
        Part of the training, 0..1, in which the share grows from 0.
    """

    share: float
    begin: float
    end: float
