"""What a recipe trains: the module, its input, and the integer network that it stands for."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from firstspike.network import Layer, Network
from firstspike.spec import Neuron
from firstspike.train.ramp import RampNet, magnitudes
from firstspike.train.recipe import Recipe
from firstspike.train.step import StepNet, thermometer

__all__ = ["build", "encode", "to_network"]


def build(recipe: Recipe, pixels: int) -> StepNet | RampNet:
    """Return an untrained network of the recipe's layers, drawn from torch's generator."""
    dropout = recipe.training.hidden_dropout
    if recipe.neuron is Neuron.STEP:
        return StepNet(pixels * (2 if recipe.off else 1), recipe.layers, dropout)
    return RampNet(pixels, recipe.layers, recipe.steps, dropout)


def encode(recipe: Recipe, images: Tensor) -> Tensor:
    """Return what `build`'s network takes, from uint8 images of shape (n, rows, columns)."""
    flat = images.flatten(1)
    if recipe.neuron is Neuron.STEP:
        return thermometer(flat, recipe.time_bits, recipe.intensity_min, recipe.off)
    return magnitudes(flat, recipe.time_bits)


def to_network(
    recipe: Recipe, model: StepNet | RampNet, shape: tuple[int, int], shift: int = 0
) -> Network:
    """Return the integer network that ``model`` stands for.

    Parameters
    ----------
    recipe : Recipe
        Coding and layers.
    model : StepNet or RampNet
        Trained.
    shape : tuple of int
        Rows and columns of an image.
    shift : int
        Added to the output thresholds (STEP), from `firstspike.train.objective.calibrate`.

    Raises
    ------
    InputError
        If a weight, threshold or bias is out of the range that network files hold.
    """
    model.set_phase(quantized=True, frozen=True)
    layers = []
    with torch.no_grad():
        for layer in model.layers:
            plan = layer.plan
            weights = _int64(layer.integers())
            hidden = layer is not model.layers[-1]
            if isinstance(model, StepNet):
                offset = layer.integer_threshold().numpy() + (0 if hidden else shift)
                scale, alive = 1, None
            else:
                offset = _int64(layer.bias())
                scale = int(layer.scale()) if hidden else 1
                pruned = hidden and recipe.prune is not None
                alive = layer.mask.numpy() > 0 if pruned else None
            layers.append(
                Layer(
                    plan.name,
                    recipe.neuron,
                    plan.kind,
                    plan.weight_bits,
                    weights,
                    offset,
                    scale,
                    alive=alive,
                )
            )
    return Network(
        name=recipe.name,
        layers=tuple(layers),
        time_bits=recipe.time_bits,
        shape=shape,
        labels=tuple(range(layers[-1].neurons)),
        intensity_min=recipe.intensity_min,
        off=recipe.off,
    )


def _int64(values: Tensor) -> np.ndarray:
    return values.double().round().long().numpy()
