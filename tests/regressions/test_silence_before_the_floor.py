"""A burst that fills a short recording was taken for its noise, and passed over as silence."""

from __future__ import annotations

import numpy as np
import pytest
from support import frames_of, narrow_air, on_air, open_receiver, place_in_noise, sent_raw

from dsp.modes import BY_NAME


@pytest.mark.parametrize("name", ["S2 M2O", "T M2O", "R2", "Na", "F2"])
def test_a_burst_that_fills_the_recording_is_heard(name: str) -> None:
    row = BY_NAME[name]
    air = narrow_air(row)
    rng = np.random.default_rng(51)
    for _ in range(3):
        raw = sent_raw(rng, 40, "A")
        burst = on_air(raw, row, "A", air, rng, ec_n0_db=20)
        samples = place_in_noise([(40, burst)], burst.size + 80, rng)
        receiver = open_receiver(air, air.plan(row.mode))
        assert frames_of(receiver.push(samples.view(np.float32)) + receiver.flush()) == [raw]
