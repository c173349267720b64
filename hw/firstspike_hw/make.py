"""The one place that knows which component a description asks for."""

from firstspike.spec import CoreSpec
from firstspike_hw.core import Core
from firstspike_hw.learner.core import LearningCore

__all__ = ["make_core"]


def make_core(spec: CoreSpec) -> Core | LearningCore:
    """Return the core that ``spec`` describes."""
    return LearningCore(spec) if spec.learning else Core(spec)
