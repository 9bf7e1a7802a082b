"""Every air interface through every way out, received again and measured as it left.

frame ─▶ transmitter ─▶ file · hackrf_transfer · libhackrf · SoapySDR ─▶ what left ─▶ receiver, test bench
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bench_receiver import WIDTH_KHZ, Measured, family, measure, tuned
from fakes.transmitters import KINDS, FakeTransmitter, build
from support import GAS_FRAME, Air, frames_in, frames_of, receive

from dsp import channel
from dsp.arrays import ComplexArray
from dsp.modes import MODES, FrameFormat, PhyMode
from protocol import link
from sdr.frame_input import GivenFrame
from sdr.recording import create_recording
from sdr.sample_format import SampleFormat, to_complex
from sdr.send_plan import Way, plan_frames
from sdr.traffic import Sender, Transmission
from sdr.transmit.burst import IqSink
from sdr.transmit.file_sink import FileSink
from sdr.transmit.hackrf_program import HackrfProgram
from sdr.transmit.settings import RadioSettings
from sdr.transmit.tuning import Tuning, choose_tuning
from sdr.transmit.worker_sink import WorkerSink
from sdr.transmitter import Transmitter, keying_s, make_burst

# SND-UD to the same meter, M-Bus data with a long header: what a gateway sends
DOWN_FRAME = bytes.fromhex("1953931578563412330380785634129315330342000020255923C95A")
DOWN_FRAME = bytes((len(DOWN_FRAME) - 1,)) + DOWN_FRAME[1:]

Case = tuple[PhyMode, Sender, FrameFormat]
CASES: list[Case] = [
    (row, sender, frame_format)
    for row in MODES
    for sender in (("M2O", "O2M") if row.direction == "both" else (row.direction,))
    for frame_format in row.frame_formats
]
every_case = pytest.mark.parametrize(
    ("row", "sender", "frame_format"), CASES, ids=[f"{row.name} {way} {kind}" for row, way, kind in CASES]
)


def _sent(row: PhyMode, sender: Sender, frame_format: FrameFormat) -> Transmission:
    frame = DOWN_FRAME if sender == "O2M" else GAS_FRAME
    way = Way(mode=row.name, direction=sender, frame_format=frame_format, band=row.bands[0])
    (sent,) = plan_frames([GivenFrame(1, frame)], way, repeat=1, interval_s=1.0, first_s=0.01)
    return sent


@dataclass(frozen=True, slots=True)
class Left:
    """What left a radio."""

    samples: ComplexArray
    tuning: Tuning

    def frames(self, row: PhyMode) -> list[bytes]:
        """Raw frames heard on all channels of the row's mode, at an Ec/N0 of 40 dB."""
        air = Air(self.tuning.sample_rate_hz, self.tuning.center_hz)
        before = np.zeros(round(0.05 * air.sample_rate_hz), np.complex64)
        samples = np.concatenate([before, self.samples])
        noise_power = 10 ** (-(40 + 1) / 10) * air.sample_rate_hz / row.chip_rate_hz
        scale = np.float32(min(1.0, np.sqrt(0.01 / noise_power)))
        noise = channel.noise(samples.size, noise_power, np.random.default_rng(1))
        return frames_of(receive(scale * (samples + noise), air, air.plan(row.mode, band=row.bands[0])))


class Radio:
    """An open fake radio, used for one burst after another."""

    def __init__(self, fake: FakeTransmitter) -> None:
        settings = RadioSettings(fake.device.partition(":")[2], 0.0, False, 1.75e6)
        kind = "soapy" if fake.kind == "soapy" else "hackrf"
        self.sink: IqSink = HackrfProgram(settings) if fake.kind == "program" else WorkerSink(kind, settings)
        self.fake = fake

    def send(self, sent: Transmission) -> Left:
        tuning = choose_tuning([sent], sample_rate_hz=8e6)
        self.fake.sent_path.unlink(missing_ok=True)
        report = self.sink.send(make_burst(sent, tuning, self.sink.sample_format))
        assert report.underruns == 0
        return Left(self.fake.sent_samples(), tuning)


@pytest.fixture(scope="module", params=KINDS)
def radio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radio]:
    folder = tmp_path_factory.mktemp("radio")
    fake = build(request.param, folder / "libraries", folder / "radio")
    before = dict(os.environ)
    os.environ.update(fake.environment)
    try:
        opened = Radio(fake)
        yield opened
        opened.sink.close()
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert not fake.is_on


@every_case
def test_every_air_interface_leaves_every_radio(
    row: PhyMode, sender: Sender, frame_format: FrameFormat, radio: Radio
) -> None:
    sent = _sent(row, sender, frame_format)
    left = radio.send(sent)
    assert left.frames(row) == [link.add_crcs(sent.frame, frame_format)]
    if radio.fake.kind == "program":
        _check_power(left, sent)
        _check_modulation(left, sent)


def _check_power(left: Left, sent: Transmission) -> None:
    """Flat top, clean ramps, nothing else, nothing clipped."""
    power = np.abs(left.samples)
    rate_hz, top = left.tuning.sample_rate_hz, 10 ** (-1 / 20)
    step = 1.5 / 128  # of an 8-bit sample, both parts
    on = np.flatnonzero(power > 0.1 * top)
    full = np.flatnonzero(power > 0.9 * top)
    rise_s, fall_s = (full[0] - on[0]) / rate_hz, (on[-1] - full[-1]) / rate_hz
    for ramp_s in (rise_s, fall_s):
        assert 0.3 * keying_s(sent) < ramp_s < keying_s(sent)
    edge = round(keying_s(sent) * rate_hz)
    assert np.abs(power[full[0] + edge : full[-1] - edge] - top).max() < step
    assert power.max() < top + step
    assert not power[: on[0] - edge].any() and not power[on[-1] + edge :].any()
    on_air_s = (full[-1] - full[0]) / rate_hz
    assert on_air_s == pytest.approx(sent.whole_duration_s, abs=2 * keying_s(sent))
    assert np.abs(left.samples.real).max() < 127 / 128 and np.abs(left.samples.imag).max() < 127 / 128


def _check_modulation(left: Left, sent: Transmission) -> None:
    """Carrier, deviation, chip rate and occupied bandwidth lie inside the limits of the row."""
    row = sent.row
    measured = _measure(left.samples, left.tuning.sample_rate_hz, sent, left.tuning.center_hz)
    assert measured.carrier_hz == pytest.approx(0.0, abs=0.02 * row.deviation.typical_hz)
    assert measured.deviation_hz == pytest.approx(row.deviation.typical_hz, rel=0.03)
    assert row.deviation.min_hz < measured.deviation_hz < row.deviation.max_hz
    assert measured.chip_rate_hz == pytest.approx(row.chip_rate_hz, rel=100e-6)
    assert measured.bandwidth_99_hz <= 1e3 * WIDTH_KHZ[family(row)]


def _measure(samples: ComplexArray, rate_hz: float, sent: Transmission, center_hz: float) -> Measured:
    """Measure the one burst in some samples, ramps cut off."""
    shifted, shifted_rate_hz = tuned(samples, rate_hz, sent.center_hz - center_hz, sent.row)
    full = np.flatnonzero(np.abs(samples) > 0.85) / rate_hz
    first, last = round(full[0] * shifted_rate_hz) + 1, round(full[-1] * shifted_rate_hz) - 1
    samples_per_chip = shifted_rate_hz / sent.row.chip_rate_hz
    return measure(shifted[first:last], shifted_rate_hz, sent.row.header_chips, samples_per_chip)


@every_case
def test_every_air_interface_through_a_file(
    row: PhyMode, sender: Sender, frame_format: FrameFormat, tmp_path: Path
) -> None:
    sent = _sent(row, sender, frame_format)
    tuning = choose_tuning([sent])
    path = tmp_path / "x.cu8"
    writer = create_recording(path, sample_rate_hz=tuning.sample_rate_hz, center_hz=tuning.center_hz)
    sink = FileSink(writer)
    assert len(list(Transmitter(sink, lambda _: tuning).run([sent]))) == 1
    sink.fill(writer.n_samples + round(0.01 * tuning.sample_rate_hz))
    sink.close()
    assert writer.n_clipped == 0
    facts = {"sample_rate_hz": tuning.sample_rate_hz, "center_hz": tuning.center_hz}
    assert frames_in(path, row.mode, **facts) == [sent.frame.hex()]


@every_case
def test_known_error_of_the_radios_clock_is_made_up_for(
    row: PhyMode, sender: Sender, frame_format: FrameFormat
) -> None:
    sent = _sent(row, sender, frame_format)
    nominal = choose_tuning([sent], sample_rate_hz=2.4e6)
    wrong = Tuning(nominal.sample_rate_hz, nominal.center_hz, clock_error_ppm=40.0)
    samples = to_complex(make_burst(sent, wrong, SampleFormat.CF32).raw, SampleFormat.CF32)
    # The radio's clock is fast: its samples go out at a higher rate around a higher frequency.
    rate_hz, center_hz = 2.4e6 * (1 + 40e-6), nominal.center_hz * (1 + 40e-6)
    measured = _measure(samples, rate_hz, sent, center_hz)
    assert measured.carrier_hz == pytest.approx(0.0, abs=0.02 * row.deviation.typical_hz)
    assert measured.chip_rate_hz == pytest.approx(row.chip_rate_hz, rel=20e-6)
