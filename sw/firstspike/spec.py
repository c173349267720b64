"""Numbers that the golden model, the RTL and the files agree on.

This module is the bottom of the project: standard library only, and no algorithm. Whatever has a
width, a range, a code or an address is defined here once; `firstspike.golden` and
`firstspike_hw` both import it and never each other. The rules in words are in docs/semantics.md.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields

__all__ = [
    "ADDRESS_BITS",
    "AMOUNT_BITS",
    "CLASSES_MAX",
    "CLASS_BLOCK",
    "COUNTERS",
    "COUNTER_BITS",
    "DYNAMICS",
    "GLOBAL_REGISTERS",
    "HANDICAP_MAX",
    "INTENSITY_BITS",
    "INTENSITY_MAX",
    "LAYER_REGISTERS",
    "LEAK_MAX",
    "LEARNED_THRESHOLD_MAX",
    "LEARNING_ARRAYS",
    "LEARNING_COUNTERS",
    "LEARNING_REGISTERS",
    "MASK_BITS",
    "MULTISPIKE_LAYER_REGISTERS",
    "MULTISPIKE_REGISTERS",
    "NUMBER_BITS",
    "OFFSET_LIMIT",
    "QUEUE_DEPTH",
    "RANDOM_FEEDBACK",
    "RANDOM_SHIFTS",
    "RANDOM_SPREAD",
    "RISE_LIMIT",
    "SCALE_MIN",
    "SPRAM_COLUMN_ROW",
    "SPRAM_MASK_ROW",
    "STEPS_MAX",
    "THRESHOLD_MIN",
    "TIME_BITS_MAX",
    "TIME_BITS_MIN",
    "WIRING",
    "CoreSpec",
    "InputCoding",
    "Neuron",
    "Reset",
    "Space",
    "WeightKind",
    "bits_for",
    "layer_register",
    "learning_register",
    "list_fields",
    "record_fields",
    "weight_range",
]

#: A pixel is an unsigned integer of this many bits.
INTENSITY_BITS = 8
INTENSITY_MAX = (1 << INTENSITY_BITS) - 1

#: A stimulus lasts ``T = 2 ** time_bits`` steps; a spike time of ``T`` means "never".
TIME_BITS_MIN = 3
TIME_BITS_MAX = 8

#: Steps of a stimulus of a multi-spike network.
STEPS_MAX = 4096

#: Shift of a multi-spike neuron's leak; 0 forgets everything.
LEAK_MAX = 7

#: A STEP neuron with a lower threshold would fire without a single event.
THRESHOLD_MIN = 1

#: The divisor of a RAMP layer's threshold ramp.
SCALE_MIN = 1

#: Width of every counter in a result record.
COUNTER_BITS = 24

#: Counters of one stimulus, in the order in which reports list them; docs/semantics.md, section 6.
COUNTERS = (
    "events",
    "synops",
    "macs",
    "weight_reads",
    "weight_writes",
    "mask_reads",
    "state_reads",
    "state_writes",
    "stdp_visits",
    "stdp_changes",
    "pruned",
    "forced",
    "over_threshold",
    "ties",
    "cycles",
)


#: Width of an address of the host port.
ADDRESS_BITS = 24


#: Those that stay 0 in a core without learning and pruning.
LEARNING_COUNTERS = ("weight_writes", "mask_reads", "stdp_visits", "stdp_changes", "pruned")


#: Offset of the thresholds from which it is taken off them and set to 0 again.
OFFSET_LIMIT = 1 << 14

#: Largest threshold that learning leads to, in units of a threshold's fraction bits.
LEARNED_THRESHOLD_MAX = 1 << 17

#: Random bytes of learning: feedback of the 32-bit shift register, its shifts a stimulus, and what
#: spreads the bytes of inputs that share a place in it.
RANDOM_FEEDBACK = 0x80200003
RANDOM_SHIFTS = 32
RANDOM_SPREAD = 157

#: Events that a bank of a learning core can be behind the others.
QUEUE_DEPTH = 16

#: What a winner's threshold grows by is less.
RISE_LIMIT = 1 << 16

#: Largest handicap of a neuron in supervised learning; one that has it cannot win.
HANDICAP_MAX = 1 << 18

#: Classes that the neurons of a learning core may have.
CLASSES_MAX = 16

#: Neurons next to each other that have the same class.
CLASS_BLOCK = 8

#: Bits of an entry of the table of updates, in 256ths of a weight.
AMOUNT_BITS = 14

#: In the SPRAM of a learning core: where the row masks begin, two words an input; and where, in the
#: 512 words of a row of neurons, the column mask of its neuron begins.
SPRAM_MASK_ROW = 28 << 9
SPRAM_COLUMN_ROW = 448

#: Inputs in a word of a column's alive mask.
MASK_BITS = 16


class Neuron(enum.Enum):
    """How a layer turns events into spikes."""

    STEP = "step"
    RAMP = "ramp"


class Reset(enum.Enum):
    """What a multi-spike neuron's potential becomes when it fires."""

    SOFT = "soft"
    HARD = "hard"


class InputCoding(enum.Enum):
    """How pixels reach a multi-spike network."""

    #: Every step at once, as a number.
    DIRECT = "direct"
    #: The first step alone, as a number.
    ONCE = "once"
    #: As spikes, the more the brighter.
    RATE = "rate"
    #: As one spike, the sooner the brighter.
    LATENCY = "latency"

    @property
    def numeric(self) -> bool:
        """Whether pixels come as numbers, not as spikes."""
        return self in (InputCoding.DIRECT, InputCoding.ONCE)


class WeightKind(enum.Enum):
    """How the bits of a weight are read."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    PM1 = "pm1"


def bits_for(n: int) -> int:
    """Return how many bits tell ``n`` things apart; at least 1."""
    return max(1, (n - 1).bit_length())


def weight_range(kind: WeightKind, bits: int) -> tuple[int, int]:
    """Return the least and the largest weight of ``kind`` in ``bits`` bits.

    Signed weights are symmetric: the most negative code is not used. ``pm1`` is -1 or +1, never 0.
    """
    if kind is WeightKind.UNSIGNED:
        return 0, (1 << bits) - 1
    if kind is WeightKind.PM1:
        return -1, 1
    top = (1 << (bits - 1)) - 1
    return -top, top


class Space(enum.IntEnum):
    """Address spaces of the core's host port."""

    #: Registers: `GLOBAL_REGISTERS`, then `LAYER_REGISTERS` for each layer.
    REGISTERS = 0
    #: Synapse memory: bank, row, part of a word.
    WEIGHTS = 1
    #: State that a stimulus starts with (minus the threshold, or the bias): bank, row, lane.
    START = 2
    #: State now, read only: bank, row, lane.
    STATE = 3
    #: Learning cores: which neurons of a bank an input still reaches: bank, input, part.
    ROW_MASKS = 4
    #: Learning cores: which inputs still reach a neuron, `MASK_BITS` a word.
    COLUMN_MASKS = 5
    #: Learning cores: what an update adds to (from half of the table on) or takes from a weight.
    UPDATES = 6
    #: Learning cores: how many inputs still reach a neuron.
    FAN_IN = 7
    #: Sparse cores, write only: the words of an input or a neuron; `list_fields`.
    LISTS = 8


#: Registers of the whole core, by address: name, meaning.
GLOBAL_REGISTERS = (
    ("ramp", "1: RAMP network, layer by layer; 0: STEP network, step by step"),
    ("early_exit", "1: a stimulus ends with the step of the first output spike"),
    ("last_layer", "number of layers less one"),
    ("state_rows", "state rows in use, of all layers, less one"),
    ("time_shift", "time_bits of the core less time_bits of the network"),
    ("intensity_min", "a pixel below it never spikes (STEP)"),
    ("off", "1: each pixel also spikes in the OFF channel, as 255 less its intensity"),
    ("input_words", "words of pixels in a stimulus, less one"),
    ("last_mask", "which pixels of a stimulus' last word there are, one bit each"),
)

#: Further ones of a core with multi-spike neurons, at the addresses behind those.
MULTISPIKE_REGISTERS = (
    ("multispike", "1: multi-spike network; `ramp` then says that pixels are numbers"),
    ("last_moment", "steps of a multi-spike network, less one"),
)

#: Registers of a layer, in order of address: name, meaning.
LAYER_REGISTERS = (
    ("signed", "1: weights are two's complement (1-bit weights: 0 is -1, 1 is +1); 0: unsigned"),
    ("neurons", "number of neurons"),
    ("words", "state rows of the layer, less one"),
    ("weight_row", "first row in the synapse memory; its first list (sparse)"),
    ("state_row", "first row in the state memory"),
    (
        "stride",
        "weight rows from one state row to the next: number of inputs, gaps included; 1 (sparse)",
    ),
    ("scale", "divisor of the threshold ramp (RAMP); threshold (multi-spike)"),
)

#: Further ones of a core with multi-spike neurons.
MULTISPIKE_LAYER_REGISTERS = (
    ("dynamics", "`DYNAMICS`, lowest bit first"),
    ("wiring", "`WIRING`, lowest bit first"),
)

#: Bits of the number of a neuron among those of all layers, and of a layer's row of weights.
NUMBER_BITS = 14

#: Fields of the register ``dynamics`` of a layer, from its low end: name, bits, meaning.
DYNAMICS = (
    ("pairs", 1, "1: every state row stands behind a row of currents"),
    ("to_current", 1, "1: events add to the currents"),
    ("hard", 1, "1: a neuron that fires starts at 0; 0: it loses the threshold"),
    ("once", 1, "1: a neuron fires at most once"),
    ("leaks", 1, "1: potentials lose a part"),
    ("leak", 3, "shift of that part"),
    ("current_leaks", 1, "1: currents lose a part"),
    ("current_leak", 3, "shift of that part"),
    ("biases", 2, "rows of weights that are added in every step: none, one, or one more `coarse`"),
    (
        "bias_row",
        NUMBER_BITS,
        "the first of them in the first step, counted from the layer's first row",
    ),
)

#: Fields of the register ``wiring`` of a layer, from its low end: name, bits, meaning.
WIRING = (
    ("base", NUMBER_BITS, "number of the layer's first neuron among those of all layers"),
    ("sources", 8, "layers whose spikes it takes, a bit each; rows of weights go by these numbers"),
)

#: Where the ``wiring`` of the first layer stands; a core that learns has others there.
_WIRING_ADDRESS = 128


#: Registers of a learning core, in order of address: name, meaning.
LEARNING_REGISTERS = (
    ("last_bank", "bank of the last neuron"),
    ("column_words", "words of a column's alive mask, less one"),
    ("last_inputs", "which inputs of a column's last word there are, one bit each"),
    ("learn", "1: what comes as pixels is learned from"),
    ("supervised", "1: the label says which neurons should win"),
    ("reward", "1: a winner that has the label's class learns (supervised)"),
    ("own", "handicap of the neurons of the label's class (supervised)"),
    ("other", "handicap of the others (supervised)"),
    ("error_step", "what a wrong winner's threshold grows by (supervised)"),
    ("offset_step", "what the offset of a class grows by"),
    ("below", "a weight that falls below it is pruned"),
    ("min_fan_in", "a neuron keeps that many connections"),
    ("delay", "stimuli to learn from before the first that may prune; counts down; can be read"),
    ("random", "state of the random numbers, never 0; can be read"),
)

#: Arrays of registers of a learning core: name, first address, length, meaning.
LEARNING_ARRAYS = (
    ("offset", 160, CLASSES_MAX, "offset of the thresholds of a class; can be read"),
    ("rise", 176, CLASSES_MAX, "what a winner's threshold grows by, by its class"),
    ("row_class", 192, 64, "class of the neurons in a row; 0 without classes"),
)


def learning_register(name: str, index: int = 0) -> int:
    """Return the address of a register of a learning core in `Space.REGISTERS`."""
    for array, first, _, _ in LEARNING_ARRAYS:
        if name == array:
            return first + index
    return 128 + [register for register, _ in LEARNING_REGISTERS].index(name)


def layer_register(layer: int, name: str) -> int:
    """Return the address of register ``name`` of ``layer`` in `Space.REGISTERS`."""
    if name == "wiring":
        return _WIRING_ADDRESS + layer
    names = [register for register, _ in (*LAYER_REGISTERS, *MULTISPIKE_LAYER_REGISTERS)]
    return 16 + 8 * layer + names.index(name)


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSpec:
    """A core: what is fixed when its hardware is made.

    Any network within these limits runs on it without a new bitstream.

    Parameters
    ----------
    banks : int
        Banks of synapse and state memory, each with an address of its own; a power of two, 1..16.
        Neuron ``j`` of a layer lives in bank ``j % banks``.
    word : int
        Synapses in a word of a bank, added at once; a power of two, 1..256.
    weight_bits : int
        Bits of a synapse in memory, 1..8.
    time_bits : int
        Time steps are ``2 ** time_bits`` at most, 3..8. Networks may use fewer.
    ramp : bool
        Whether events carry a magnitude, so that RAMP networks run.
    potential_bits : int
        Width of a membrane potential, two's complement, 8..24.
    max_inputs : int
        Inputs of a stimulus, OFF channel included, 8..8192.
    max_layers : int
        Layers of a network, 2..8.
    weight_rows : int
        Words in the synapse memory of a bank, 16..65536.
    state_rows : int
        Words in the state memory of a bank, 2..1024; a power of two.
    pixels : int
        Pixels that the encoder takes in a cycle: 4, 8, 16 or 32.
    memory : str
        Synapse memory: ``block`` (block RAM) or ``spram`` (iCE40 UltraPlus single-port RAM).
    learning : bool
        A learning core: one layer of STEP neurons, unsigned weights of ``weight_bits`` bits, one
        synapse a word. ``state_rows`` is then any number up to 64, and ``weight_rows`` is
        ``max_inputs * state_rows`` for ``block``.
    pruning : bool
        Whether a learning core has alive masks, so that it walks live synapses only.
    multispike : bool
        Whether neurons may spike more than once, so that multi-spike networks run; not with
        ``learning``.
    sparse : bool
        Whether each input and neuron has a list of words of its own, each with the state row that
        it is added to, so that words of dead synapses cost neither a cycle nor memory; not with
        ``learning``, and with 2 ``weight_bits`` or more.

    Raises
    ------
    ValueError
        If a value is out of its range; the message starts with the field's name.
    """

    banks: int = 4
    word: int = 4
    weight_bits: int = 8
    time_bits: int = 4
    ramp: bool = True
    potential_bits: int = 20
    max_inputs: int = 1024
    max_layers: int = 4
    weight_rows: int = 8192
    state_rows: int = 64
    pixels: int = 4
    memory: str = "block"
    learning: bool = False
    pruning: bool = False
    multispike: bool = False
    sparse: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("banks", 1, 16),
            ("word", 1, 1 if self.learning else 256),
            ("weight_bits", 2 if self.learning else 1, 8),
            ("time_bits", TIME_BITS_MIN, TIME_BITS_MAX),
            ("potential_bits", 8, 24),
            ("max_inputs", 8, 8192),
            ("max_layers", 1 if self.learning else 2, 1 if self.learning else 8),
            ("weight_rows", 16, 65536),
            ("state_rows", 1 if self.learning else 2, 64 if self.learning else 1024),
            ("pixels", 4, 32),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}, must be an integer in {low}..{high}")
        powers = (
            ("banks", "word", "pixels")
            if self.learning
            else ("banks", "word", "state_rows", "pixels")
        )
        for name in powers:
            value = getattr(self, name)
            if not _power_of_two(value):
                raise ValueError(f"{name} is {value}, must be a power of two")
        for name in ("ramp", "learning", "pruning", "multispike", "sparse"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} is {getattr(self, name)!r}, must be true or false")
        self._check_sparse()
        self._check_learning()
        if self.lanes < 2:
            raise ValueError(f"banks x word is {self.lanes}, must be at least 2")
        if self.memory not in ("block", "spram"):
            raise ValueError(f"memory is {self.memory!r}, must be 'block' or 'spram'")
        if self.memory == "spram" and not self.learning:
            # A synapse and a state row need not fill a word; synapses alone can, and must.
            full = self.word_bits <= 16 if self.sparse else self.word_bits == 16
            if not full or self.weight_rows > 1 << 14:
                made_of = ", and a state row" if self.sparse else ""
                raise ValueError(
                    f"memory is 'spram', which has 16384 words of 16 bits, not {self.weight_rows} "
                    f"words of {self.word_bits} bits (word x weight_bits{made_of})"
                )

        most = self.address(Space.WEIGHTS, self.banks - 1, self.weight_rows - 1, self.parts - 1)
        if most >= 1 << ADDRESS_BITS:
            raise ValueError(
                f"weight_rows is {self.weight_rows}: banks, rows and parts together need more than "
                f"{ADDRESS_BITS} bits of address"
            )

    def _check_learning(self) -> None:
        if self.pruning and not self.learning:
            raise ValueError("pruning is true, must be false without learning")
        if not self.learning:
            return
        if self.multispike:
            raise ValueError("multispike is true, must be false for a learning core")
        if self.ramp:
            raise ValueError("ramp is true, must be false for a learning core")
        if self.potential_bits < 20:
            raise ValueError(
                f"potential_bits is {self.potential_bits}, must be at least 20 for a learning core"
            )
        if self.max_inputs % MASK_BITS:
            raise ValueError(
                f"max_inputs is {self.max_inputs}, must be a multiple of {MASK_BITS} for a "
                "learning core"
            )
        if self.memory == "spram" and (
            self.weight_rows != 1 << 14 or self.max_inputs > 896 or self.state_rows > 28
        ):
            raise ValueError(
                "memory is 'spram', where a learning core has weight_rows 16384, at most 896 "
                f"max_inputs and 28 state_rows, not {self.weight_rows}, {self.max_inputs} and "
                f"{self.state_rows}"
            )
        rows = self.max_inputs * self.state_rows
        if self.memory == "block" and self.weight_rows != rows:
            raise ValueError(
                f"weight_rows is {self.weight_rows}, must be max_inputs x state_rows, {rows}, for "
                "a learning core"
            )

    def _check_sparse(self) -> None:
        if not self.sparse:
            return
        if self.learning:
            raise ValueError("sparse is true, must be false for a learning core")
        if self.weight_bits == 1:
            raise ValueError(
                "weight_bits is 1, must be at least 2 for a sparse core: a dead synapse is a 0"
            )

    @property
    def fraction_bits(self) -> int:
        """Bits of a learning core's thresholds below the least weight, F."""
        return 8 - self.weight_bits if self.learning else 0

    @property
    def synapse_bits(self) -> int:
        """Bits of the place of a synapse in a bank of a learning core; in an SPRAM of its byte."""
        return bits_for(self.weight_rows) + (self.memory == "spram")

    @property
    def space_bits(self) -> int:
        """Bits that choose an address space of the host port."""
        return 4 if self.sparse else 3 if self.learning else 2

    @property
    def lanes(self) -> int:
        """Synapses added in one cycle, P = banks x word."""
        return self.banks * self.word

    @property
    def steps(self) -> int:
        """Most time steps of a stimulus."""
        return 1 << self.time_bits

    @property
    def magnitude_bits(self) -> int:
        """Bits of an event's magnitude; 0 when every event counts once."""
        return self.time_bits if self.ramp or self.multispike else 0

    @property
    def coarse(self) -> int:
        """What the second row of a step's biases is multiplied by."""
        return (1 << min(self.time_bits, self.weight_bits)) - 1

    @property
    def moment_bits(self) -> int:
        """Bits of the step of a multi-spike network; 0 when there is none."""
        return bits_for(STEPS_MAX) if self.multispike else 0

    @property
    def synapses_bits(self) -> int:
        """Bits of the synapses of a word."""
        return self.word * self.weight_bits

    @property
    def word_bits(self) -> int:
        """Bits of a word of the synapse memory: its synapses, then, if sparse, its state row."""
        return self.synapses_bits + (bits_for(self.state_rows) if self.sparse else 0)

    @property
    def first_row_bits(self) -> int:
        """Bits of a layer's ``weight_row``: of a row of synapses, or of a list of words."""
        return bits_for(self.list_rows if self.sparse else self.weight_rows)

    @property
    def list_rows(self) -> int:
        """Lists of words of a sparse core: one for each input, and one for each neuron."""
        return self.max_inputs + self.max_neurons if self.sparse else 0

    @property
    def part_bits(self) -> int:
        """Bits of a word of synapses that the host reads or writes at once."""
        return min(self.word_bits, 16)

    @property
    def parts(self) -> int:
        """Parts of a word of synapses."""
        return -(-self.word_bits // self.part_bits)

    @property
    def part_address_bits(self) -> int:
        """Bits of an address in `Space.WEIGHTS` that choose a part."""
        return (self.parts - 1).bit_length()

    @property
    def lane_address_bits(self) -> int:
        """Bits of an address in `Space.START` and `Space.STATE` that choose a lane."""
        return (self.word - 1).bit_length()

    @property
    def mask_parts(self) -> int:
        """Parts of a word of a row mask that the host reads or writes at once."""
        return -(-self.state_rows // 16)

    def address(self, space: Space, bank: int, row: int, low: int = 0) -> int:
        """Return an address of the host port.

        ``row`` is the number of a word, an input or a row of neurons, ``low`` a part of a word or
        a lane. Spaces that are not in banks have bank 0.
        """
        low_bits = {
            Space.WEIGHTS: self.part_address_bits,
            Space.ROW_MASKS: (self.mask_parts - 1).bit_length(),
        }.get(space, self.lane_address_bits)
        rows = {Space.WEIGHTS: self.weight_rows, Space.ROW_MASKS: self.max_inputs}
        row_bits = bits_for(rows.get(space, self.state_rows))
        return (bank << row_bits | row) << low_bits | low

    @property
    def max_neurons(self) -> int:
        """Most neurons of all layers together, if each layer fills its rows."""
        return self.state_rows * self.lanes

    @property
    def index_bits(self) -> int:
        """Bits of the index of an input or of a neuron."""
        return bits_for(max(self.max_inputs, self.max_neurons))

    def __str__(self) -> str:
        # A parameter that came later is told where it matters, so digests of older cores hold.
        late = ("multispike", "sparse")
        told = [field.name for field in fields(self) if field.name not in late]
        told += [name for name in late if getattr(self, name)]
        return " ".join(f"{name}={getattr(self, name)}" for name in told)


def list_fields(core: CoreSpec) -> dict[str, int]:
    """Return the fields of an entry of `Space.LISTS`, lowest first, and how many bits each has.

    ``first`` is a row of the synapse memory, ``last`` the number of rows less one, and ``empty``
    is 1 if there is none.
    """
    return {"first": bits_for(core.weight_rows), "last": bits_for(core.state_rows), "empty": 1}


def record_fields(core: CoreSpec) -> dict[str, int]:
    """Return the fields of a result record, in order, and how many bits each has."""
    widths = {
        "winner": core.index_bits,
        "last": core.index_bits,
        "step": core.time_bits + 1,
        "forced": 1,
    }
    counters = (
        "events",
        "operations",
        "weight_reads",
        "state_reads",
        "state_writes",
        "over_threshold",
        "ties",
        "cycles",
        *(LEARNING_COUNTERS if core.learning else ()),
    )
    return widths | dict.fromkeys(counters, COUNTER_BITS)
