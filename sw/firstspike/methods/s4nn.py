"""S4NN and BS4NN: neurons that fire once, and errors of the times at which they do.

Kheradpisheh and Masquelier 2020 (S4NN, arXiv 1910.09495), and Kheradpisheh, Mirsadeghi and
Masquelier 2021 (BS4NN, arXiv 2007.04039); formulas from the papers. A neuron adds up the weights of
the spikes that came, and fires in the first step with a potential above its threshold; one that
never does counts as firing at T. With ``tau`` the time of the first output, an output has the
wanted time

    t                       in general
    min(tau + gamma, T)     if it is of another class and fires before that
    tau                     if it is of the right class; T - gamma if no output fires at all

and what is wanted, less what is, over T, is its error. Those of an image are scaled to a norm of 1.
A potential that is larger by 1 is taken to fire a step earlier, and an input to add its weight
where it comes in time, so

    gradient of w_ij = sum over images of  e_j [t_i <= t_j]
    e_i = sum over j of  e_j [t_i <= t_j] w_ij        for neurons i that fire, scaled to a norm of 1

Neurons that fire for less than one image in a thousand get new weights after an epoch. Weights of
more than one bit are S4NN. Those of one bit are BS4NN: -f or +f, the sign of a real number that
gradients go straight through to, with a learned number f for each layer; on the core, f becomes
part of the threshold. The gradients of all weights of a layer add up in that of f, and Adam scales
them to the size of one weight's, so f has a rate of its own, as the authors have it: with that of
the weights it runs away on Fashion-MNIST, until a single spike is above the threshold.

What differs: batches and Adam in place of single images and plain steps; a spike reaches the next
layer in the step that it is sent in, and the authors have it a step later, which is the same but
for the times; black pixels never fire, where the authors have them fire last; and S4NN is trained
with weights that are rounded forward. The accuracy is strict: of outputs that fire first together,
the one that is farthest above its threshold wins. The authors count such a tie as right if the
right class is among them; ``lenient_accuracy`` of the report does so too.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from firstspike import golden
from firstspike.errors import InputError
from firstspike.methods.fitting import fit
from firstspike.methods.quantize import scale_for
from firstspike.methods.recipe import MethodRecipe
from firstspike.methods.variant import Progress, SingleSpikeVariant
from firstspike.network import Layer, Network
from firstspike.spec import (
    INTENSITY_MAX,
    TIME_BITS_MAX,
    TIME_BITS_MIN,
    Neuron,
    WeightKind,
    weight_range,
)
from firstspike.train.batches import Splits

__all__ = ["S4nnNet", "errors", "spike_times", "train"]

#: A neuron that fires for a smaller share of the images of an epoch gets new weights.
_RARE = 0.001
#: Images that the weights at the start are scaled with.
_LOOKED_AT = 1000
#: By how much slower the numbers f learn than the weights do.
_SLOWER = 30.0
#: Larger than any potential.
_FAR = float(1 << 24)


def train(
    recipe: MethodRecipe, splits: Splits, seed: int, progress: Progress
) -> list[SingleSpikeVariant]:
    """Return the networks, one for each number of steps.

    Raises
    ------
    InputError
        If a number of steps is not a power of two that neurons which fire once can have.
    """
    options = recipe.options
    for steps in recipe.steps:
        if steps not in [1 << bits for bits in range(TIME_BITS_MIN, TIME_BITS_MAX + 1)]:
            raise InputError(
                f"{recipe.path}: steps: has {steps}, must be powers of two in "
                f"{1 << TIME_BITS_MIN}..{1 << TIME_BITS_MAX}"
            )
    variants: list[SingleSpikeVariant] = []
    for steps in recipe.steps:
        torch.manual_seed(seed)
        gamma = max(1, round(options["gamma"] * steps))
        net = S4nnNet(
            [splits.shape[0] * splits.shape[1], *recipe.hidden, 10],
            steps=steps,
            bits=recipe.weight_bits,
            level=options["level"],
            pace=options["pace"],
            images=splits.train_images[:_LOOKED_AT],
        )
        begin = len(variants)
        fit(
            net,
            recipe,
            splits,
            seed,
            lambda done, n=begin: progress((n + done) / len(recipe.steps)),
            loss=lambda times, labels, late=gamma, last=steps: (
                -(times * errors(times.detach(), labels, late, last)).sum()
            ),
            optimizer=torch.optim.Adam(
                [
                    {"params": list(net.weights)},
                    {"params": list(net.log_scales), "share": 1 / _SLOWER},
                ]
            ),
            before_epoch=net.renew,
        )
        network = net.to_network(recipe.name, splits.shape)
        outcome = golden.run(network, splits.validation_images.numpy())
        facts = {
            "validation_accuracy": float(
                (outcome.predicted == splits.validation_labels.numpy()).mean()
            ),
            "gamma": gamma,
            "ties": float((outcome.counters["ties"] > 0).mean()),
        }
        kind = "bs4nn" if recipe.weight_bits == 1 else "s4nn"
        variants.append(SingleSpikeVariant(f"{kind}-{steps}", network, facts))
    return variants


def errors(times: Tensor, labels: Tensor, gamma: int, steps: int) -> Tensor:
    """Return the outputs' errors, of norm 1 for each image, or 0 if all is as wanted.

    Parameters
    ----------
    times : Tensor of float32, shape (n, outputs)
        When the outputs fire; ``steps`` is never.
    labels : Tensor of int64, shape (n,)
        Classes.
    gamma : int
        Steps that outputs of other classes are to be behind the first one.
    steps : int
        Steps of a stimulus, T.
    """
    first = times.min(dim=1, keepdim=True).values
    latest = torch.full_like(times, steps)
    wanted = torch.maximum(times, torch.minimum(first + gamma, latest))
    right = torch.where(first < steps, first, latest[:, :1] - gamma)
    wanted = wanted.scatter(1, labels[:, None], right)
    return _unit((wanted - times) / steps)


def _unit(rows: Tensor) -> Tensor:
    """Return rows of norm 1; rows of 0 stay as they are."""
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)


class _SpikeTimes(torch.autograd.Function):
    """When neurons fire, and how far above their threshold they then are."""

    @staticmethod
    def forward(
        ctx: Any, arriving: Tensor, weights: Tensor, integers: Tensor, theta: int, steps: int
    ) -> tuple[Tensor, Tensor]:
        n, neurons = len(arriving), integers.shape[1]
        potential = torch.full((n, neurons), -float(theta))
        times = torch.full((n, neurons), float(steps))
        over = potential.clone()
        for t in range(steps):
            potential.addmm_((arriving == t).to(potential.dtype), integers)
            fires = (potential >= 0) & (times == steps)
            times[fires] = t
            over = torch.where(fires, potential, over)
        over = torch.where(times == steps, potential, over)
        ctx.save_for_backward(arriving, weights, times)
        ctx.steps = steps
        ctx.mark_non_differentiable(over)
        return times, over

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        arriving, weights, times = ctx.saved_tensors
        # A larger potential is an earlier time.
        error = -gradients[0]
        until = times.clamp(max=ctx.steps - 1)
        to_weights = torch.zeros_like(weights)
        for t in range(ctx.steps):
            to_weights.addmm_((arriving == t).to(error.dtype).T, error * (until >= t))
        if not ctx.needs_input_grad[0]:
            return None, to_weights, None, None, None
        to_inputs = torch.zeros_like(arriving)
        for t in range(ctx.steps):
            to_inputs += ((error * (until == t)) @ weights.T) * (arriving <= t)
        return -_unit(to_inputs), to_weights, None, None, None


def spike_times(
    arriving: Tensor, weights: Tensor, integers: Tensor, theta: int, steps: int
) -> tuple[Tensor, Tensor]:
    """Return when the neurons of a layer fire, with the gradient that the module's text has.

    Parameters
    ----------
    arriving : Tensor of float32, shape (n, inputs)
        When inputs fire; ``steps`` is never.
    weights : Tensor of float32, shape (inputs, neurons)
        That the gradients are of.
    integers : Tensor of float32, shape (inputs, neurons)
        The same, as whole numbers.
    theta : int
        At which neurons fire, in units of ``integers``.
    steps : int
        Steps of a stimulus.

    Returns
    -------
    tuple of Tensor of float32, shape (n, neurons)
        Times, and by how much potentials are above ``theta`` then; if a neuron never fires, after
        the last step.
    """
    times, over = _SpikeTimes.apply(arriving, weights, integers, theta, steps)  # pyright: ignore[reportGeneralTypeIssues]
    return times, over


class S4nnNet(nn.Module):
    """Dense layers whose neurons fire once, above one threshold for each layer.

    Parameters
    ----------
    sizes : list of int
        Pixels, hidden layers, outputs.
    steps, bits : int
        Steps of a stimulus, a power of two; bits of a weight.
    level : float
        Threshold, as a share of what all inputs of a neuron together add at the start.
    pace : float
        By how much smaller the outputs' weights and threshold are than those of other layers, so
        that, with one rate for all, outputs learn faster.
    images : Tensor of uint8, shape (n, rows, columns)
        With which that is measured.
    """

    def __init__(
        self,
        sizes: list[int],
        *,
        steps: int,
        bits: int,
        level: float,
        images: Tensor,
        pace: float = 1.0,
    ) -> None:
        super().__init__()
        self.steps = steps
        self.bits = bits
        self.weights = nn.ParameterList(torch.rand(a, b) for a, b in itertools.pairwise(sizes))
        #: Logarithms of what a weight of 1 stands for.
        self.log_scales = nn.ParameterList(torch.zeros(()) for _ in self.weights)
        #: Of the layers: the largest weights at the start.
        self._units = [1.0] * (len(self.weights) - 1) + [1 / pace]
        #: Of the layers: above which neurons fire, in the unit of ``weights``.
        self.thresholds: list[float] = []
        self._fired = [torch.zeros(b) for b in sizes[1:]]
        self._seen = 0
        times = self._encode(images.flatten(1).float())
        for number, weight in enumerate(self.weights):
            total = float((times < steps).float().sum(dim=1).mean()) * self._units[number] / 2
            self.thresholds.append(level * total)
            with torch.no_grad():
                self.log_scales[number].fill_(math.log(self._units[number]))
                self._start(number, weight)
                self._rescale(number)
                times, _ = self._layer(number, times)

    def _start(self, number: int, weight: Tensor) -> None:
        """Give a layer, or a neuron of it, weights to start with; in the mean, half a unit."""
        if self.bits == 1:
            # Three in four of the signs are positive.
            weight.uniform_(-0.5, 1.5)
        else:
            weight.uniform_(0, 1)
        weight.mul_(self._units[number])

    def _rescale(self, number: int) -> None:
        """Choose anew what a weight of 1 stands for, so that rounding changes least."""
        if self.bits > 1:
            scale = scale_for(self.weights[number].detach().double().numpy(), self.bits)
            self.log_scales[number].fill_(math.log(scale))

    def renew(self) -> None:
        """Give neurons that hardly fired new weights, and choose all scales anew."""
        with torch.no_grad():
            for number, weight in enumerate(self.weights):
                if self._seen and number < len(self.weights) - 1:
                    for j in (self._fired[number] < _RARE * self._seen).nonzero().flatten():
                        column = weight[:, j].clone()
                        self._start(number, column)
                        weight[:, j] = column
                self._rescale(number)
        self._fired = [torch.zeros_like(fired) for fired in self._fired]
        self._seen = 0

    def _encode(self, pixels: Tensor) -> Tensor:
        """Return when pixels 0..255 fire."""
        times = ((INTENSITY_MAX - pixels) / (256 // self.steps)).floor()
        return torch.where(pixels >= 1, times, float(self.steps))

    def integers(self, number: int) -> Tensor:
        """Return the weights of a layer as whole numbers, of shape (inputs, neurons)."""
        weight = self.weights[number].detach()
        if self.bits == 1:
            return torch.where(weight >= 0, 1.0, -1.0)
        top = weight_range(WeightKind.SIGNED, self.bits)[1]
        return (weight / self.log_scales[number].detach().exp()).round().clamp(-top, top)

    def theta(self, number: int) -> int:
        """Return the potential at which the neurons of a layer fire, for whole weights."""
        scale = math.exp(float(self.log_scales[number].detach()))
        return math.floor(self.thresholds[number] / scale) + 1

    def _layer(self, number: int, times: Tensor) -> tuple[Tensor, Tensor]:
        weight, integers = self.weights[number], self.integers(number)
        if self.bits == 1:
            scale = self.log_scales[number].exp()
            through = weight + (integers - weight).detach()
            weight = through * scale
        else:
            rounded = integers * self.log_scales[number].detach().exp()
            weight = weight + (rounded - weight).detach()
        return spike_times(times, weight, integers, self.theta(number), self.steps)

    def run(self, pixels: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return times and overshoots of all layers; see `spike_times`.

        Parameters
        ----------
        pixels : Tensor of float32, shape (n, inputs)
            Pixels 0..1.
        """
        times = self._encode((pixels * INTENSITY_MAX).round())
        found = []
        for number in range(len(self.weights)):
            times, over = self._layer(number, times)
            found.append((times, over))
            if self.training:
                self._fired[number] += (times.detach() < self.steps).sum(dim=0)
        self._seen += len(pixels) if self.training else 0
        return found

    def forward(self, pixels: Tensor) -> Tensor:
        """Return times of the outputs in training, else numbers whose largest is the decision."""
        times, over = self.run(pixels)[-1]
        return times if self.training else over.double() - _FAR * times.double()

    def to_network(self, name: str, shape: tuple[int, int]) -> Network:
        """Return the network as it is after training, for images of ``shape``."""
        last = len(self.weights) - 1
        return Network(
            name=name,
            layers=tuple(
                Layer(
                    name="output" if number == last else f"hidden{number + 1}",
                    neuron=Neuron.STEP,
                    kind=WeightKind.PM1 if self.bits == 1 else WeightKind.SIGNED,
                    weight_bits=self.bits,
                    weights=np.rint(self.integers(number).numpy()).astype(np.int64),
                    offset=np.full(self.weights[number].shape[1], self.theta(number)),
                )
                for number in range(last + 1)
            ),
            time_bits=self.steps.bit_length() - 1,
            shape=shape,
            labels=tuple(range(self.weights[last].shape[1])),
        )
