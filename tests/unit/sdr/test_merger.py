"""Copies of a telegram from several radios become one, the best; repetitions stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from support import ROOT

from dsp.plan import make_plan
from sdr.live.merger import WAIT_S, Merger
from sdr.output.json_line import to_dict
from sdr.receiver import StreamReceiver
from sdr.reception import Reception
from sdr.sample_format import SampleFormat

_START = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def telegram() -> Reception:
    street = np.fromfile(ROOT / "recordings" / "street_868.9M_2400k.cu8", np.uint8)
    receiver = StreamReceiver(make_plan(2.4e6, 868.9e6), 2.4e6, 868.9e6, SampleFormat.CU8, start_time=_START)
    return (receiver.push(street) + receiver.flush())[0]


def _heard(telegram: Reception, device: str, rssi_dbfs: float, later_s: float = 0.0) -> Reception:
    quality = replace(telegram.burst.quality, rssi_dbfs=rssi_dbfs, noise_dbfs=-50.0)
    assert telegram.received_at is not None
    return replace(
        telegram,
        device=device,
        burst=replace(telegram.burst, quality=quality),
        received_at=telegram.received_at + timedelta(seconds=later_s),
    )


def test_the_best_copy_goes_on_and_names_the_others(telegram: Reception) -> None:
    merger = Merger()
    for device, rssi_dbfs in (("a", -30.0), ("b", -20.0), ("c", -25.0)):
        assert merger.hear(_heard(telegram, device, rssi_dbfs, 0.01), 1.0) == []
    assert merger.due(1.0 + 0.9 * WAIT_S) == []
    (merged,) = merger.due(1.0 + WAIT_S)
    radio = to_dict(merged)["radio"]
    assert (radio["device"], radio["snr_db"]) == ("b", 30.0)
    assert [(copy["device"], copy["snr_db"]) for copy in radio["copies"]] == [("a", 20.0), ("c", 25.0)]
    assert merger.due(9.0) == []


def test_repetitions_and_other_times_are_no_copies(telegram: Reception) -> None:
    merger = Merger()
    merger.hear(_heard(telegram, "a", -30.0), 1.0)
    merger.hear(_heard(telegram, "a", -30.0, 0.05), 1.05)  # a repeater: the same radio hears it again
    merger.hear(_heard(telegram, "b", -30.0, 0.5), 1.1)  # too late for a copy
    assert [merged.copies for merged in merger.due(9.0)] == [(), (), ()]
