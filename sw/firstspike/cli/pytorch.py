"""What ``firstspike export`` does with files of ``torch.export.save``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from firstspike.cli.common import need
from firstspike.cli.nir import refuse_options
from firstspike.errors import InputError

__all__ = ["SUFFIX", "read_pytorch"]

#: Of such a file.
SUFFIX = ".pt2"

#: Options that are not those of NIR files alone.
_OPTIONS = ("data", "dir", "bits", "steps")
_BITS = 8
_STEPS = 16


def read_pytorch(args: argparse.Namespace) -> dict[str, Any]:
    """Write the network that the file ``args.source`` holds."""
    refuse_options(args, but=_OPTIONS)
    if args.variant is not None or args.nir is not None:
        raise InputError(f"{args.source}: --variant and --nir do not go with a PyTorch program")
    if args.network is None:
        raise InputError("export needs -o NET, the folder that the network goes to")
    if args.data is None:
        raise InputError(f"{args.source}: activations are scaled on images: give --data")
    importing = need("firstspike.pytorch.importing", "train")
    return importing.import_program(
        Path(args.source),
        args.network,
        source=args.data,
        data_folder=args.dir,
        bits=_BITS if args.bits is None else args.bits,
        steps=_STEPS if args.steps is None else args.steps,
    )
