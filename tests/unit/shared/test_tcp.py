"""State numbers are the kernel's."""

from shared.tcp import ALL_STATES, State, state_mask


def test_a_mask_has_the_bit_of_each_state() -> None:
    assert state_mask(State.ESTABLISHED, State.TIME_WAIT, State.TIME_WAIT) == 0b1000010
    assert ALL_STATES == 0x3FFE
