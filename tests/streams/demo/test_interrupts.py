"""Signals: the first ends the demo with a summary, the second at once."""

import os
import signal

import pytest

from streams.demo.interrupts import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_asks_second_ends(number: signal.Signals) -> None:
    """Once there is something to sum up, the first signal asks for it and the second one does not wait."""
    with Interrupts() as interrupts:
        interrupts.soften()
        asked = [interrupts.asked]
        os.kill(os.getpid(), number)
        asked.append(interrupts.asked)
        assert asked == [False, True]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_during_start_up_the_first_ends() -> None:
    """Before there is something to sum up, a signal ends the demo."""
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert not interrupts.asked


def test_handlers_are_put_back() -> None:
    """Afterwards signals do what they did before."""
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
