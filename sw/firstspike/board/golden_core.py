"""What a core does with its memories, by the golden model: no clock, but the cost model's cycles.

Memories hold what the host wrote. When a stimulus comes, they are turned back into a network, or
into a learner, and the golden model runs that; what was learned is in the memories when they are
read next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.board.protocol import Result, result_counters
from firstspike.errors import InputError
from firstspike.golden.batch import run_times
from firstspike.golden.encoding import encode
from firstspike.learning import LearningState, LearnOutcome, Pruning, Rule, Supervised, Unsupervised
from firstspike.learning.image import learner_image
from firstspike.learning.labels import check_labels
from firstspike.learning.readback import read_state, state_requests
from firstspike.learning.state import check_state
from firstspike.network import Layer, Network
from firstspike.outcome import Outcome
from firstspike.spec import (
    GLOBAL_REGISTERS,
    LEARNED_THRESHOLD_MAX,
    LEARNING_ARRAYS,
    LEARNING_REGISTERS,
    MASK_BITS,
    THRESHOLD_MIN,
    CoreSpec,
    Neuron,
    Space,
    WeightKind,
    bits_for,
    layer_register,
    learning_register,
    list_fields,
)

__all__ = ["GoldenCore", "Stimulus"]

_GLOBAL = {name: address for address, (name, _) in enumerate(GLOBAL_REGISTERS)}
_MULTISPIKE = len(GLOBAL_REGISTERS)
#: Learning registers that can be read.
_READABLE = (
    learning_register("delay"),
    learning_register("random"),
    *(learning_register("offset", i) for i in range(LEARNING_ARRAYS[0][2])),
)


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What a core is given.

    Parameters
    ----------
    label : int
        Class, -1 for none.
    pixels : bytes or None
        All pixels, the last word filled up; None: events.
    events : tuple of (int, int)
        Index and time of each.
    """

    label: int
    pixels: bytes | None
    events: tuple[tuple[int, int], ...] = ()


class GoldenCore:
    """Registers, memories, and stimuli.

    Parameters
    ----------
    spec : CoreSpec
        The core.
    """

    def __init__(self, spec: CoreSpec) -> None:
        self._spec = spec
        self._registers = [0] * 256
        weight_bits = spec.part_bits
        if spec.learning:
            weight_bits = 16 if spec.memory == "spram" else spec.weight_bits
        neurons = spec.state_rows * spec.lanes
        # Words and bits of each memory.
        sizes = {
            Space.WEIGHTS: (1 << spec.part_address_bits, weight_bits),
            Space.START: (1 << spec.lane_address_bits, spec.potential_bits),
        }
        if spec.sparse:
            sizes |= {Space.LISTS: (spec.list_rows, sum(list_fields(spec).values()))}
        if spec.learning:
            sizes |= {Space.UPDATES: (2 << spec.weight_bits, 14)}
        if spec.pruning:
            sizes |= {
                Space.ROW_MASKS: (1 << (spec.mask_parts - 1).bit_length(), 16),
                Space.COLUMN_MASKS: (neurons * spec.max_inputs // MASK_BITS, 16),
                Space.FAN_IN: (neurons, 14),
            }
        rows = {
            Space.WEIGHTS: spec.banks << bits_for(spec.weight_rows),
            Space.START: spec.banks << bits_for(spec.state_rows),
            Space.ROW_MASKS: spec.banks << bits_for(spec.max_inputs),
        }
        self._bits = {space: bits for space, (_, bits) in sizes.items()}
        self._memory = {
            space: np.zeros(1 << (low * rows.get(space, 1) - 1).bit_length(), np.int64)
            for space, (low, _) in sizes.items()
        }
        #: What the memories hold, until they are written to.
        self._network: Network | None = None
        self._learner: tuple[Rule, LearningState] | None = None
        self._learned = False

    def restart(self) -> None:
        """Set registers to 0; memories keep what they hold, and layers their registers."""
        self._settle()
        kept = range(16, 128) if not self._spec.learning else ()
        for address in range(256):
            if address not in kept:
                self._registers[address] = 0
        self._network = self._learner = None

    def write(self, space: int, address: int, data: int) -> None:
        """Write ``data``, 32 bits; what there is not is written nowhere."""
        self._settle()
        self._network = self._learner = None
        if space == Space.REGISTERS:
            self._registers[address % 256] = data
        elif space in self._memory:
            memory = self._memory[Space(space)]
            memory[address % len(memory)] = data & (1 << self._bits[Space(space)]) - 1

    def read(self, space: int, address: int) -> int:
        """Return what stands there, sign extended to 32 bits; potentials of a stimulus are 0."""
        self._settle()
        if space == Space.REGISTERS:
            readable = self._spec.learning and address % 256 in _READABLE
            return self._registers[address % 256] if readable else 0
        if space in (Space.UPDATES, Space.LISTS) or space not in self._memory:
            return 0
        memory = self._memory[Space(space)]
        place = address % len(memory)
        data = int(memory[place])
        if space == Space.START:
            bits = self._spec.potential_bits
            data -= data >> bits - 1 << bits
            if self._spec.learning:
                # It is read by changing it by 0, which keeps a threshold within its bounds.
                data = max(-LEARNED_THRESHOLD_MAX, min(-THRESHOLD_MIN, data))
                memory[place] = data & (1 << bits) - 1
        return data & 0xFFFFFFFF

    # --- stimuli

    def takes(self, stimulus: Stimulus) -> bool:
        """Tell whether a stimulus has as many words of pixels as the registers say."""
        words = self._registers[_GLOBAL["input_words"]] + 1
        return stimulus.pixels is None or len(stimulus.pixels) == words * self._spec.pixels

    def run(self, stimuli: list[Stimulus]) -> list[Result]:
        """Return the results of stimuli, each of which the core `takes`.

        What is loaded may be no network that the golden model knows; then results are all 0.
        """
        try:
            if self._spec.learning and self._registers[learning_register("learn")] & 1:
                return [self._teach(stimulus) for stimulus in stimuli]
            return self._infer(self._loaded(), stimuli)
        except (InputError, IndexError, ValueError):
            none = (0,) * len(result_counters(self._spec))
            return [Result(0, 0, 0, False, none)] * len(stimuli)

    def _infer(self, network: Network, stimuli: list[Stimulus]) -> list[Result]:
        times = np.concatenate([self._times(network, stimulus) for stimulus in stimuli])
        early_exit = bool(self._registers[_GLOBAL["early_exit"]] & 1)
        outcome = run_times(network, times, core=self._spec, early_exit=early_exit)
        return [self._result(outcome, outcome.last_predicted, n) for n in range(len(stimuli))]

    def _times(self, network: Network, stimulus: Stimulus) -> np.ndarray:
        if stimulus.pixels is not None:
            image = np.frombuffer(stimulus.pixels, np.uint8)[: network.pixels]
            return encode(network, image[None])
        times = np.full((1, network.inputs), network.steps)
        for index, time in stimulus.events:
            times[0, index] = time
        return times

    def _result(self, outcome: Outcome | LearnOutcome, last: np.ndarray, n: int) -> Result:
        """Return the result of stimulus ``n``."""
        counters = outcome.counters
        named = {name: int(values[n]) for name, values in counters.items()}
        named["operations"] = named["synops"] + named.get("macs", 0)
        winner = outcome.predicted if isinstance(outcome, Outcome) else outcome.winner
        return Result(
            int(winner[n]) if winner[n] >= 0 else int(last[n]),
            int(last[n]),
            int(outcome.decision_step[n]),
            bool(named["forced"]),
            tuple(named[name] for name in result_counters(self._spec)),
        )

    def _teach(self, stimulus: Stimulus) -> Result:
        """Learn from one stimulus; events are not learned from."""
        rule, state = self._learner or self._load_learner()
        if stimulus.pixels is None:
            return self._infer(self._as_network(rule, state), [stimulus])[0]
        # Numba compiles it, which other cores do without.
        from firstspike.golden.learning_fast import learn

        pixels = state.inputs // (2 if rule.off else 1)
        image = np.frombuffer(stimulus.pixels, np.uint8)[None, :pixels]
        label = np.array([stimulus.label])
        check_labels(rule, state, label, 1)
        outcome = learn(rule, state, image, label, core=self._spec)
        self._learner, self._learned = (rule, outcome.state), True
        times = encode(self._as_network(rule, state), image)[0]
        last = self._last(rule, state, times, outcome, stimulus.label)
        return self._result(outcome, np.array([last]), 0)

    def _last(
        self, rule: Rule, state: LearningState, times: np.ndarray, outcome: LearnOutcome, label: int
    ) -> int:
        """Return the neuron that the core compared last: the best of the label's, or of all."""
        winner, step = int(outcome.winner[0]), int(outcome.decision_step[0])
        if winner >= 0 and (label < 0 or state.classes is None or state.classes[winner] == label):
            return winner
        arrived = times <= step if step < rule.steps else times < rule.steps
        d = (state.weights[arrived].astype(np.int64).sum(axis=0) << rule.fraction_bits).astype(
            np.int64
        ) - state.in_force
        if winner >= 0 and state.classes is not None:
            d = np.where(state.classes == label, d, d.min() - 1)
        return int(d.argmax())

    # --- from memories to networks

    def _loaded(self) -> Network:
        if self._network is None:
            if self._spec.learning:
                self._network = self._as_network(*self._load_learner())
            else:
                self._network = self._load_network()
        return self._network

    def _pixels(self) -> int:
        words = self._registers[_GLOBAL["input_words"]]
        return words * self._spec.pixels + self._registers[_GLOBAL["last_mask"]].bit_count()

    def _load_network(self) -> Network:
        """Return the network in the memories of an ordinary core, unless it is multi-spike."""
        spec, pixels = self._spec, self._pixels()
        if spec.multispike and self._registers[_MULTISPIKE] & 1:
            raise InputError("a multi-spike network is loaded, which this model does not run")
        flags = {name: self._registers[address] for name, address in _GLOBAL.items()}
        neuron = Neuron.RAMP if flags["ramp"] else Neuron.STEP
        layers = []
        places = np.arange(pixels)
        if flags["off"]:
            whole = (flags["input_words"] + 1) * spec.pixels
            places = np.concatenate([places, whole + places])
        for number in range(flags["last_layer"] + 1):
            layers.append(self._load_layer(number, neuron, places))
            places = np.arange(layers[-1].neurons)
        return Network(
            name="loaded",
            layers=tuple(layers),
            time_bits=spec.time_bits - flags["time_shift"],
            shape=(1, pixels),
            labels=(-1,) * layers[-1].neurons,
            intensity_min=max(1, flags["intensity_min"]),
            off=bool(flags["off"]),
        )

    def _load_layer(self, number: int, neuron: Neuron, places: np.ndarray) -> Layer:
        spec = self._spec
        register = {
            name: self._registers[layer_register(number, name)]
            for name in ("signed", "neurons", "words", "weight_row", "state_row", "stride", "scale")
        }
        words = register["words"] + 1
        if spec.sparse:
            codes = self._listed(register, places)
        else:
            rows = register["weight_row"] + np.arange(words)[:, None] * register["stride"] + places
            codes = self._synapses(rows)[0]
        # From (bank, word, input, lane) to (input, neuron).
        codes = codes.transpose(2, 1, 3, 0).reshape(len(places), -1)[:, : register["neurons"]]
        if not register["signed"]:
            kind = WeightKind.UNSIGNED
        elif spec.weight_bits == 1:
            kind, codes = WeightKind.PM1, 2 * codes - 1
        else:
            kind = WeightKind.SIGNED
            codes = codes - (codes >> spec.weight_bits - 1 << spec.weight_bits)
        start = self._starts(register["neurons"], spec.lanes, spec.word, register["state_row"])
        return Layer(
            name=f"layer{number}",
            neuron=neuron,
            kind=kind,
            weight_bits=spec.weight_bits,
            weights=codes,
            offset=-start if neuron is Neuron.STEP else start,
            scale=max(1, register["scale"]) if neuron is Neuron.RAMP else 1,
            # Whether an output can fire at all is not the core's business.
            alive=codes != 0,
        )

    def _synapses(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights in rows of every bank, and the state rows they say (sparse).

        Parameters
        ----------
        rows : ndarray of int64, of any shape
            Rows.

        Returns
        -------
        tuple of ndarray of int64, shapes (banks, *shape of rows, word) and (banks, *shape of rows)
            Weights as they stand in memory, and state rows.
        """
        spec = self._spec
        banks = np.arange(spec.banks).reshape(-1, *[1] * (rows.ndim + 1))
        places = banks << bits_for(spec.weight_rows) | rows[None, ..., None]
        packed = self._memory[Space.WEIGHTS][
            places << spec.part_address_bits | np.arange(spec.parts)
        ]
        # Parts have 1, 2, 4, 8 or 16 bits, or hold a whole word: each bit by itself.
        bits = packed[..., None] >> np.arange(spec.part_bits) & 1
        bits = bits.reshape(*packed.shape[:-1], -1)[..., : spec.word_bits]
        synapses, target = np.split(bits, [spec.synapses_bits], axis=-1)
        synapses = synapses.reshape(*packed.shape[:-1], spec.word, spec.weight_bits)
        return _number(synapses), _number(target)

    def _listed(self, register: dict[str, int], places: np.ndarray) -> np.ndarray:
        """Return the weights in the lists of a layer, of shape (banks, words, inputs, lanes).

        What says a row outside of the layer is left out.
        """
        spec, words = self._spec, register["words"] + 1
        shape = (spec.banks, words, len(places), spec.word)
        codes = np.zeros(shape, np.int64)
        fields = list_fields(spec)
        lists = self._memory[Space.LISTS]
        for source, place in enumerate(places.tolist()):
            entry = int(lists[(register["weight_row"] + place) % len(lists)])
            first, rest = entry % (1 << fields["first"]), entry >> fields["first"]
            last, empty = rest % (1 << fields["last"]), rest >> fields["last"]
            if empty:
                continue
            synapses, target = self._synapses(first + np.arange(last + 1))
            word = target - register["state_row"]
            bank, row = np.nonzero((word >= 0) & (word < words))
            here = bank, word[bank, row], np.full_like(bank, source)
            np.add.at(codes, here, synapses[bank, row])
        return codes

    def _starts(self, neurons: int, lanes: int, word: int, first_row: int) -> np.ndarray:
        """Return what the potentials of neurons start with, int64 of shape (neurons,)."""
        spec = self._spec
        j = np.arange(neurons)
        row = (j % spec.banks) << bits_for(spec.state_rows) | first_row + j // lanes
        place = row << spec.lane_address_bits | j // spec.banks % word
        start = self._memory[Space.START][place]
        return start - (start >> spec.potential_bits - 1 << spec.potential_bits)

    def _load_learner(self) -> tuple[Rule, LearningState]:
        """Return rule and state in the memories of a learning core."""
        spec, registers = self._spec, self._registers
        value = {name: registers[learning_register(name)] for name, _ in LEARNING_REGISTERS}
        off = bool(registers[_GLOBAL["off"]] & 1)
        tables = self._memory[Space.UPDATES].reshape(2, -1).tolist()
        pruning = None
        if value["below"]:
            pruning = Pruning(
                below=value["below"], after=value["delay"] + 1, min_fan_in=value["min_fan_in"]
            )
        common: dict = {
            "weight_bits": spec.weight_bits,
            "time_bits": spec.time_bits - registers[_GLOBAL["time_shift"]],
            "intensity_min": max(1, registers[_GLOBAL["intensity_min"]]),
            "off": off,
            "up": tuple(tables[1]),
            "down": tuple(tables[0]),
            "homeostasis": value["offset_step"],
            "pruning": pruning,
        }
        neurons = registers[_GLOBAL["state_rows"]] * spec.banks + value["last_bank"] + 1
        inputs = self._pixels() * (2 if off else 1)
        classes = None
        rule: Rule = Unsupervised(**common)
        if value["supervised"] & 1:
            rule = Supervised(
                **common,
                own=value["own"],
                other=value["other"],
                reward=bool(value["reward"] & 1),
                error_step=value["error_step"],
            )
            rows = [registers[learning_register("row_class", j)] for j in range(64)]
            classes = np.array(rows)[np.arange(neurons) // spec.banks]
        groups = 1 if classes is None else int(classes.max()) + 1
        shape = LearningState(
            weights=np.zeros((inputs, neurons), np.uint8),
            alive=np.ones((inputs, neurons), bool),
            threshold=np.ones(neurons, np.int64),
            offset=np.zeros(groups, np.int64),
            lfsr=1,
            seen=0,
            classes=classes,
        )
        if not value["random"]:
            # Nobody has set it, as for inference.
            registers[learning_register("random")] = 1
        replies = [self.read(*request) for request in state_requests(spec, shape)]
        signed = np.array(replies, np.uint32).astype(np.int32).astype(np.int64)
        try:
            state = read_state(spec, shape, signed, 0)
        except RuntimeError as error:
            raise InputError(str(error)) from error
        check_state(rule, state)
        self._learner = rule, state
        return self._learner

    def _as_network(self, rule: Rule, state: LearningState) -> Network:
        """Return what a learner is while it does not learn."""
        layer = Layer(
            name="output",
            neuron=Neuron.STEP,
            kind=WeightKind.UNSIGNED,
            weight_bits=rule.weight_bits,
            weights=state.weights.astype(np.int64),
            offset=state.in_force,
            fraction_bits=rule.fraction_bits,
            alive=state.alive,
        )
        return Network(
            name="loaded",
            layers=(layer,),
            time_bits=rule.time_bits,
            shape=(1, state.inputs // (2 if rule.off else 1)),
            labels=(-1,) * state.neurons,
            intensity_min=rule.intensity_min,
            off=rule.off,
        )

    def _settle(self) -> None:
        """Write what was learned to the memories."""
        if not self._learned or self._learner is None:
            return
        learner, self._learned = self._learner, False
        for write in learner_image(self._spec, *learner):
            self.write(write.space, write.address, write.data)
        self._learner = learner


def _number(bits: np.ndarray) -> np.ndarray:
    """Return the numbers whose bits stand along the last axis, the lowest first."""
    return (bits << np.arange(bits.shape[-1])).sum(axis=-1)
