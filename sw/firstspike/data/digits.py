"""The 8 x 8 digits, which come with this package.

1 797 handwritten digits of 43 people, values 0..16: the test part of "Optical Recognition of
Handwritten Digits" by E. Alpaydin and C. Kaynak (UCI Machine Learning Repository, 1998, CC BY 4.0),
as scikit-learn (BSD 3-Clause) ships it. `firstspike.data.make_digits` made the file digits.npz.
"""

from __future__ import annotations

from importlib import resources

import numpy as np

__all__ = ["TEST", "images_and_labels"]

#: The last images in file order are the test split.
TEST = 500


def images_and_labels() -> tuple[np.ndarray, np.ndarray]:
    """Return intensities, uint8 of shape (1797, 8, 8), and labels, int64 of shape (1797,).

    The intensity of a value ``v`` in 0..16 is ``min(255, 16 * v)``.
    """
    with (
        resources.files("firstspike.data").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        values, labels = archive["values"], archive["labels"]
    return np.minimum(255, values.astype(np.int64) * 16).astype(np.uint8), labels.astype(np.int64)
