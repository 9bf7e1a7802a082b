"""The live view: which meters, how often, what is shown; drawn on a console of known size."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.text import Text
from support import GAS_FRAME, GAS_RAW_A

from dsp.burst import Burst, Fault, Quality
from dsp.modes import BY_NAME
from protocol import link
from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.keys import Keyring, KeyRow
from sdr import heard_meters
from sdr.heard_meters import HeardMeters, main_reading
from sdr.live_table import LiveTable, span_text
from sdr.reception import Reception, Rejection

NOW_S = 1000.0
KEY = SecretKey(bytes.fromhex("0102030405060708090A0B0C0D0E0F11"))  # OMS Vol. 2, Annex N
QUALITY = Quality(rssi_dbfs=-31.2, noise_dbfs=-49.6, carrier_hz=868_938_100.0, frequency_error_hz=-11_900.0)


def reception(frame: bytes = GAS_FRAME, *, opened: bool = True, name: str | None = None) -> Reception:
    parsed = link.parse(frame)
    decoder = Decoder(Keyring([KeyRow(key=KEY, name=name)])) if opened else Decoder()
    burst = Burst(BY_NAME["T M2O"], "A", GAS_RAW_A, None, (), 0, 0, 0.007, QUALITY)
    return Reception(
        burst=burst,
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        first_sample=0,
        frame=frame,
        link=parsed,
        rejection=None,
        direction="M2O",
        decoded=decoder.decode_frame(parsed),
    )


def other_meter(number: int) -> Reception:
    """The same telegram from a meter with another identification number."""
    return reception(GAS_FRAME[:4] + number.to_bytes(4, "little") + GAS_FRAME[8:], opened=False)


def drawn(table: LiveTable, console: Console) -> list[str]:
    with console.capture() as captured:
        console.print(table.render())
    return [Text.from_ansi(line).plain for line in captured.get().splitlines()]


def make(height: int = 20, width: int = 110) -> tuple[LiveTable, Console]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, no_color=True)
    return LiveTable(console, lambda: NOW_S), console


def test_the_interval_is_the_median_of_the_gaps() -> None:
    meters = HeardMeters()
    for at_s in (0.0, 16.0, 32.0, 64.0, 64.1, 80.0):  # one missed, one repeated by a repeater
        meters.hear(reception(), at_s)
    (meter,) = meters
    assert meter.count == 6
    assert meter.interval_s == pytest.approx(16.0)


def test_rejections_are_no_meters() -> None:
    meters = HeardMeters()
    rejected = replace(reception(), decoded=None, link=None, rejection=Rejection("link", "crc_mismatch", 2))
    meters.hear(replace(rejected, burst=replace(rejected.burst, fault=Fault.CRC_MISMATCH)), NOW_S)
    assert len(meters) == 0


def test_the_meter_heard_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard_meters, "MOST_METERS", 3)
    meters = HeardMeters()
    for number in (1, 2, 3, 1, 4):
        meters.hear(other_meter(number), NOW_S)
    assert [meter.last.frame[4] for meter in meters] == [4, 1, 3]


def test_main_reading_is_the_current_total() -> None:
    telegram = reception().telegram
    assert telegram is not None
    reading = main_reading(telegram.readings)
    assert reading is not None and (reading.quantity, str(reading.value)) == ("volume", "28504.27")
    assert main_reading(()) is None


def test_what_is_drawn() -> None:
    table, console = make()
    table.hear(reception(), NOW_S - 16.5)
    table.hear(reception(), NOW_S - 0.4)
    table.hear(other_meter(0x44332211), NOW_S - 75.0)
    lines = drawn(table, console)
    assert lines[0].split() == ["seen", "meter", "kind", "mode", "SNR", "Δf/kHz", "every", "n", "reading"]
    assert lines[1].split()[:2] == ["75", "s"]
    assert "key missing" in lines[1]
    for part in ("0.4 s", "ELS 12345678", "gas", "T A", "18.4", "-11.9", "16 s", "volume 28504.27 m3"):
        assert part in lines[2]
    assert lines[-1].endswith("2 meters")


def test_a_named_meter_goes_by_its_name() -> None:
    table, console = make()
    table.hear(reception(name="gas cellar"), NOW_S)
    assert "gas cellar" in drawn(table, console)[1]


@pytest.mark.parametrize(("height", "width"), [(6, 80), (3, 40), (24, 200)])
def test_it_fits_the_terminal(height: int, width: int) -> None:
    table, console = make(height, width)
    for number in range(1, 40):
        table.hear(other_meter(number), NOW_S)
    lines = drawn(table, console)
    assert len(lines) <= max(height, 4)
    assert max(map(len, lines)) <= width


def test_screen_is_taken_and_given_back() -> None:
    table, console = make()
    assert isinstance(console.file, io.StringIO)
    table.start()
    table.hear(reception(), NOW_S)
    table.draw("receiving")
    table.stop()
    text = console.file.getvalue()
    assert text.index("\x1b[?1049h") < text.index("\x1b[?1049l")
    assert "receiving · 1 meter" in text[text.index("\x1b[?1049l") :]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.97, "10 s"),
        (99.4, "99 s"),
        (100.0, "2 min"),
        (5400.0, "90 min"),
        (9000.0, "2.5 h"),
        (200_000.0, "2 d"),
        (1e7, "116 d"),
    ],
)
def test_spans_of_time(seconds: float, text: str) -> None:
    assert span_text(seconds) == text
    assert len(text) <= 6
