"""Calls in processes of their own.

Mutants that fail here: one process more at a time; what is told is of one call only; the rest is
not ended when the generator is closed; ended by SIGKILL; errors are swallowed; an interruption of
the terminal ends a call by itself; results in the wrong places; a process that ended without an
answer has answered None.
"""

from __future__ import annotations

from functools import partial

import pytest

import process_calls
from firstspike.errors import InputError
from firstspike.processes import in_processes


def nothing(done: int) -> None:
    pass


def test_results_come_with_their_places():
    told: list[int] = []
    calls = [partial(process_calls.square, number) for number in (5, 6, 7)]
    assert dict(in_processes(calls, 2, told.append)) == {0: 25, 1: 36, 2: 49}
    assert told == sorted(told)
    assert told[-1] == 5 + 6 + 7


def test_as_many_at_a_time_as_asked_for(tmp_path):
    calls = [partial(process_calls.meet, tmp_path, str(number), 2) for number in range(4)]
    most = [value for _, value in in_processes(calls, 2, nothing)]
    assert most == [2, 2, 2, 2]


def test_what_finishes_first_comes_first(tmp_path):
    mark = tmp_path / "mark"
    calls = [partial(process_calls.after, mark), partial(process_calls.square, 3)]
    answers = in_processes(calls, 2, nothing)
    assert next(answers) == (1, 9)
    mark.touch()
    assert list(answers) == [(0, "seen")]


def test_an_interruption_is_left_to_the_parent():
    assert list(in_processes([process_calls.interrupted], 1, nothing)) == [(0, "goes on")]


def test_a_closed_generator_interrupts_what_runs(tmp_path):
    mark, never = tmp_path / "mark", tmp_path / "never"
    calls = [
        partial(process_calls.stay, mark),
        partial(process_calls.after, mark),
        partial(process_calls.stay, never),
    ]
    answers = in_processes(calls, 2, nothing)
    assert next(answers) == (1, "seen")
    answers.close()
    assert mark.read_text() == "interrupted"
    assert not never.exists() or never.read_text() == "interrupted"


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (process_calls.refuse, InputError, "^core.yaml: banks: is 0$"),
        (process_calls.vanish, RuntimeError, "^call 1: its process ended with status 3$"),
        (process_calls.leave, RuntimeError, "^call 1: its process ended with status 0$"),
    ],
)
def test_a_call_that_fails_ends_the_others(tmp_path, call, kind, message):
    mark = tmp_path / "mark"
    answers = in_processes([partial(process_calls.stay, mark), call], 2, nothing)
    with pytest.raises(kind, match=message):
        next(answers)
    # The first one may not have come so far.
    assert not mark.exists() or mark.read_text() == "interrupted"
