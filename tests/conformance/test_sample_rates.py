"""The bundled scenes at other rates and centres: every row whose whole channel fits is received.

Scenes are rendered anew and quantised to 8 bits. Centres put a carrier near 0 Hz and near the
edge of the span. What does not fit may be heard or not, but nothing is heard that was not sent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import ROOT

from dsp.plan import Plan, make_plan
from sdr import scene as scenes
from sdr.receiver import StreamReceiver
from sdr.reception import Reception
from sdr.sample_format import SampleFormat, from_complex
from sdr.scene import Scene
from sdr.simulator import render, truth
from sdr.traffic import Transmission

SCENES = ROOT / "recordings" / "scenes"
STREET = "street_868"

# scene, modes (None: the usual), band, rate, centre in MHz
SPANS = [
    (STREET, None, "A", 1.6e6, 868.95),  # T and C uplink around 0 Hz
    (STREET, None, "A", 1.6e6, 868.9),
    (STREET, None, "A", 1.6e6, 868.3),  # S around 0 Hz, T near the upper edge
    (STREET, None, "A", 1.6e6, 869.0),  # S just inside the lower edge
    (STREET, None, "A", 2.048e6, 868.9),
    (STREET, None, "A", 2.048e6, 869.525),  # C downlink around 0 Hz, T near the lower edge
    (STREET, None, "A", 2.4e6, 868.955),  # T 5 kHz beside 0 Hz
    (STREET, None, "A", 2.4e6, 868.6),  # C downlink near the upper edge
    (STREET, None, "A", 3.2e6, 868.3),
    (STREET, None, "A", 3.2e6, 869.75),  # S near the lower edge
    (STREET, None, "A", 8e6, 868.9),
    (STREET, None, "A", 8e6, 866.0),
    (STREET, None, "A", 20e6, 865.0),
    ("street_433", None, "B", 2.048e6, 434.0),
    ("street_433", None, "B", 3.2e6, 433.5),
    ("n_169", None, "A", 250e3, 169.439),  # N2g around 0 Hz
    ("n_169", None, "A", 1.024e6, 169.0),
    ("r2_868", ("R",), "A", 1.6e6, 868.95),
    ("r2_868", ("R",), "A", 300e3, 868.33),  # the default channel around 0 Hz
    ("f_433", None, "A", 250e3, 433.82),  # F around 0 Hz
    ("f_433", None, "A", 2.4e6, 433.0),
]


def _receive(scene: Scene, plan: Plan, rate_hz: float, center_hz: float) -> list[Reception]:
    samples = np.concatenate(list(render(scene, sample_rate_hz=rate_hz, center_hz=center_hz)))
    raw, _ = from_complex(samples, SampleFormat.CU8)
    receiver = StreamReceiver(plan, rate_hz, center_hz, SampleFormat.CU8)
    return receiver.push(raw) + receiver.flush()


def _fits(sent: Transmission, plan: Plan) -> bool:
    return any(channel.center_hz == sent.center_hz and sent.row in channel.rows for channel in plan.channels)


@pytest.mark.parametrize(
    ("scene_name", "modes", "band", "rate_hz", "center_mhz"),
    SPANS,
    ids=[f"{scene}-{rate / 1e6:g}MSps-{center}MHz" for scene, _, _, rate, center in SPANS],
)
def test_every_row_that_fits_is_received(
    scene_name: str, modes: tuple[str, ...] | None, band: str, rate_hz: float, center_mhz: float
) -> None:
    scene = scenes.load(SCENES / f"{scene_name}.toml")
    plan = make_plan(rate_hz, center_mhz * 1e6, modes, band)
    receptions = _receive(scene, plan, rate_hz, center_mhz * 1e6)
    heard = sorted(
        (reception.burst.row.mode, reception.burst.frame_format, reception.frame)
        for reception in receptions
        if reception.rejection is None
    )
    sent = truth(scene)
    inside = [(one.mode, one.frame_format, one.frame) for one in sent if _fits(one, plan)]
    assert inside, "the span holds nothing of the scene"
    missing = list(inside)
    for frame in heard:
        assert frame in [(one.mode, one.frame_format, one.frame) for one in sent]
        if frame in missing:
            missing.remove(frame)
    assert not missing
    assert len(heard) == len(set(heard)), "a telegram came out twice"


def test_the_spans_are_what_is_asked_for() -> None:
    assert {rate for scene, _, _, rate, _ in SPANS if scene == STREET} >= {1.6e6, 2.048e6, 2.4e6, 3.2e6, 8e6}
    assert {Path(scene).stem for scene, *_ in SPANS} == {path.stem for path in SCENES.glob("*.toml")}
