"""Signals: a first one is a wish, a second one an order, and neither waits for a lock."""

import signal
from collections.abc import Iterator

import pytest

from confmig.errors import StoppedError
from confmig.hosts.signals import Signals

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in BOTH}
    taken = Signals()
    taken.install()
    yield taken
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_outside_of_the_work_a_signal_ends_it_at_once(signals: Signals, number: signal.Signals) -> None:
    with pytest.raises(StoppedError):
        signal.raise_signal(number)


def test_within_the_work_the_second_one_does(signals: Signals) -> None:
    with signals.gently() as stopping:
        assert not stopping()
        signal.raise_signal(signal.SIGINT)
        assert stopping()
        with pytest.raises(StoppedError) as caught:
            signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143


def test_two_that_come_together_are_two(signals: Signals) -> None:
    with signals.gently() as stopping:
        signal.pthread_sigmask(signal.SIG_BLOCK, BOTH)
        for number in BOTH:
            signal.raise_signal(number)
        with pytest.raises(StoppedError):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, BOTH)
        assert stopping()
