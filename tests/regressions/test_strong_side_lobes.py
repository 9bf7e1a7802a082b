"""Side lobes of a very strong burst follow its chips as well as its tones do: a transmitter on the table.

The search for the sync word took a pair of side lobes for the tones of chip 0 and 1, and the frame was lost.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import GAS_RAW_A, Air, frames_of, on_air, place_in_noise, receive, row_plan

from dsp.modes import BY_NAME


@pytest.mark.parametrize("seed", [1, 11])  # both lost at the time, of sixteen
def test_strong_burst_is_read_by_its_tones(seed: int) -> None:
    row = BY_NAME["R2"]
    air = Air(2.4e6, row.centers_hz[row.default_channel] - 170e3)
    rng = np.random.default_rng(seed)
    burst = on_air(GAS_RAW_A, row, "A", air, rng, ec_n0_db=70.0)
    first = int(rng.uniform(0.05, 0.1) * air.sample_rate_hz)
    samples = place_in_noise([(first, burst)], first + burst.size + 120_000, rng)
    assert frames_of(receive(samples, air, row_plan(row, air))) == [GAS_RAW_A]
