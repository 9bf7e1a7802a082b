"""The safety gate: every refusal, with its numbers; limits and power from the printed values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support import GAS_FRAME

from dsp.modes import BY_NAME, MODES, PhyMode
from dsp.modulator import Impairments
from sdr.errors import ConfigError, TransmissionRefused
from sdr.scene import BurstSettings
from sdr.traffic import Transmission, transmission
from sdr.transmit.safety.config import (
    RadioConfig,
    TransmitConfig,
    default_config_path,
    default_ledger_path,
    load_config,
)
from sdr.transmit.safety.gate import SafetyGate
from sdr.transmit.safety.ledger import Entry, Instant, Ledger, now
from sdr.transmit.safety.limits import limits_of
from sdr.transmit.safety.power import power_budget
from sdr.transmitter import air_time_s

UTC = 1.8e9
BAND = (868.7e6, 869.2e6)
RADIO = RadioConfig(gain_db=0, output_dbm=0.0, clock_tolerance_ppm=20)
CONFIG = TransmitConfig("CEPT", ("A",), 10.0, 1.0, 2.15, Path("unused"), {"hackrf": RADIO})


class Clock:
    """Both clocks of a machine, set by hand."""

    def __init__(self) -> None:
        self.utc, self.boot_s, self.boot_id = UTC, 1000.0, "first"

    def __call__(self) -> Instant:
        return Instant(self.utc, self.boot_id, self.boot_s)

    def pass_s(self, seconds: float) -> None:
        self.utc += seconds
        self.boot_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.jsonl"


@pytest.fixture
def ledger(path: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger(path, clock) as opened:
        yield opened


def _sent(row: PhyMode | str = "T M2O", frame: bytes = GAS_FRAME, **settings: object) -> Transmission:
    row = BY_NAME[row] if isinstance(row, str) else row
    chosen = BurstSettings(None, -1.0, Impairments(), row.preamble_pairs, None)
    chosen = replace(chosen, **settings)  # type: ignore[arg-type]
    center_hz = row.centers_hz[row.default_channel]
    direction = "O2M" if row.direction == "O2M" else "M2O"
    return transmission(frame, row, "A", direction, start_s=0.0, center_hz=center_hz, settings=chosen)


def _gate(ledger: Ledger, config: TransmitConfig = CONFIG, gain_db: float = 0.0) -> SafetyGate:
    return SafetyGate(config, ledger, "hackrf", gain_db)


def _reserve(gate: SafetyGate, sent: Transmission) -> None:
    gate.reserve(sent, air_time_s(sent))


# limits


@pytest.mark.parametrize(
    ("name", "sub_band_mhz", "erp_dbm", "duty_cycle"),
    [
        # EN 13757-4 and ERC 70-03 as printed: 25 mW, 500 mW, 10 mW
        ("S2 M2O", (868.0, 868.6), 13.979, 0.01),
        ("T M2O", (868.7, 869.2), 13.979, 0.001),
        ("C M2O", (868.7, 869.2), 13.979, 0.001),
        # 10 % in one source, 0.1 % in another
        ("C2 O2M", (869.4, 869.65), 26.990, 0.001),
        ("R2", (868.0, 868.6), 13.979, 0.01),
        ("Na", (169.4, 169.475), 26.990, 0.10),
        # no duty cycle is known
        ("T M2O 433", (434.225, 434.725), 10.0, 0.001),
    ],
)
def test_limits_of_rows(
    name: str, sub_band_mhz: tuple[float, float], erp_dbm: float, duty_cycle: float
) -> None:
    row = BY_NAME[name]
    limits = limits_of(row, row.centers_hz[0])
    assert limits.sub_band_hz == pytest.approx(tuple(1e6 * edge for edge in sub_band_mhz))
    assert limits.max_erp_dbm == pytest.approx(erp_dbm, abs=1e-3)
    assert limits.duty_cycle == duty_cycle
    assert ("duty_cycle" in limits.doubtful) == (row.duty_cycle is None or "duty_cycle" in row.uncertain)


def test_unknown_sub_band_is_only_what_the_row_itself_occupies() -> None:
    low_hz, high_hz = limits_of(BY_NAME["F2"], 433.82e6).sub_band_hz
    # deviation 7 kHz, half of 2.4 kcps, 16 ppm
    assert (433.82e6 - low_hz, high_hz - 433.82e6) == pytest.approx((7e3 + 1.2e3 + 6941.12,) * 2)


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_every_row_can_be_sent_by_a_good_radio(row: PhyMode, ledger: Ledger) -> None:
    radio = replace(RADIO, clock_tolerance_ppm=5.0)
    config = replace(CONFIG, bands=("A", "B"), radios={"hackrf": radio})
    for format_frame in (GAS_FRAME, bytes((255,)) + GAS_FRAME[1:10] + bytes(246)):
        (clearance,) = _gate(ledger, config).check([_sent(row, format_frame)], air_time_s)
        # output 0 dBm, level -1 dB, cable -1 dB, a dipole
        assert clearance.budget.erp_dbm == pytest.approx(-2.0)
        assert clearance.air_time_s <= clearance.limits.max_air_time_s


# power


def test_power_is_the_sum_of_what_is_configured() -> None:
    config = replace(CONFIG, cable_loss_db=3.0, antenna_gain_dbi=5.15)
    assert power_budget(config, "hackrf", 7.0, -6.0).erp_dbm == pytest.approx(0 + 7 - 6 - 3 + 5.15 - 2.15)


@pytest.mark.parametrize("missing", ["output_dbm", "cable_loss_db", "antenna_gain_dbi"])
def test_unknown_power_is_refused(missing: str, ledger: Ledger) -> None:
    if missing == "output_dbm":
        config = replace(CONFIG, radios={"hackrf": replace(RADIO, output_dbm=None)})
    else:
        config = replace(CONFIG, **{missing: None})  # type: ignore[arg-type]
    with pytest.raises(TransmissionRefused, match=f"power is unknown: .*{missing}"):
        _reserve(_gate(ledger, config), _sent())


def test_too_strong_is_refused(ledger: Ledger) -> None:
    # the row permits 25 mW = 14.0 dBm, the user 10 dBm; 0 - 1 - 1 dB + gain
    _reserve(_gate(ledger, gain_db=12.0), _sent())
    with pytest.raises(TransmissionRefused, match=r"11\.0 dBm ERP .* above 10\.0 dBm"):
        _reserve(_gate(ledger, gain_db=13.0), _sent())
    generous = replace(CONFIG, max_erp_dbm=30.0)
    with pytest.raises(TransmissionRefused, match=r"14\.5 dBm ERP .* above 14\.0 dBm"):
        _reserve(_gate(ledger, generous, gain_db=16.5), _sent())
    with pytest.raises(TransmissionRefused, match="above"):
        _reserve(_gate(ledger, gain_db=float("nan")), _sent())


# frequency and length


def test_wrong_band_is_refused(ledger: Ledger) -> None:
    with pytest.raises(TransmissionRefused, match="band B, but the configuration permits A"):
        _reserve(_gate(ledger), _sent("T M2O 433"))


@pytest.mark.parametrize(
    "wrong",
    [
        Impairments(carrier_offset_hz=160e3),
        Impairments(carrier_offset_hz=-160e3),
        Impairments(carrier_drift_hz_per_s=2e7),
        Impairments(deviation_hz=200e3),
    ],
)
def test_outside_the_sub_band_is_refused(wrong: Impairments, ledger: Ledger) -> None:
    with pytest.raises(TransmissionRefused, match=r"outside of 868\.7 MHz to 869\.2 MHz"):
        _reserve(_gate(ledger), _sent(impairments=wrong))


def test_clock_of_the_radio_counts(ledger: Ledger) -> None:
    # Na lies 6.25 kHz from the edge; 2.4 + 2.4 kHz are occupied, 20 ppm are 3.4 kHz
    with pytest.raises(TransmissionRefused, match="clock ±20 ppm"):
        _reserve(_gate(ledger), _sent("Na"))
    exact = replace(CONFIG, radios={"hackrf": replace(RADIO, clock_tolerance_ppm=5.0)})
    _reserve(_gate(ledger, exact), _sent("Na"))


def test_too_long_is_refused(ledger: Ledger) -> None:
    with pytest.raises(TransmissionRefused, match="too long"):
        _reserve(_gate(ledger), _sent(preamble_pairs=3000))


# duty cycle and ledger


def test_duty_cycle_of_an_hour(ledger: Ledger, clock: Clock) -> None:
    gate = _gate(ledger)
    _reserve(gate, _sent())  # 7 ms; 0.1 % of an hour are 3.6 s
    ledger.add(Entry(clock(), 3.59, BAND))
    with pytest.raises(TransmissionRefused, match=r"duty cycle of 0\.1 % .*3\.597 s .*3\.600 s permitted"):
        _reserve(gate, _sent())
    _reserve(gate, _sent("S2 M2O"))  # another sub-band
    clock.pass_s(3600 + 0.005)
    with pytest.raises(TransmissionRefused, match="duty cycle"):
        _reserve(gate, _sent())
    clock.pass_s(0.005)  # the first burst has ended an hour ago
    _reserve(gate, _sent())
    clock.pass_s(3.6)
    _reserve(gate, _sent())


def test_modes_in_one_sub_band_share_its_duty_cycle(ledger: Ledger, clock: Clock) -> None:
    ledger.add(Entry(clock(), 3.6, BAND))
    with pytest.raises(TransmissionRefused, match="duty cycle"):
        _reserve(_gate(ledger), _sent("C M2O"))


def test_a_plan_is_refused_before_its_first_burst(ledger: Ledger, path: Path) -> None:
    one = _sent()
    plan = [replace(one, start_s=0.1 * n) for n in range(600)]
    with pytest.raises(TransmissionRefused, match="duty cycle"):
        _gate(ledger).check(plan, air_time_s)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1  # nothing but that the clock was seen
    cleared = _gate(ledger).check(plan[:500], air_time_s)
    assert cleared[-1].used_s == pytest.approx(499 * air_time_s(one))
    # the same number over two hours fits
    _gate(ledger).check([replace(one, start_s=12.0 * n) for n in range(600)], air_time_s)


def test_ledger_survives_the_program(path: Path, clock: Clock) -> None:
    with Ledger(path, clock) as first:
        first.add(Entry(clock(), 2.0, BAND, "T M2O"))
    clock.pass_s(10)
    with Ledger(path, clock) as second:
        assert second.used_s(clock(), BAND) == 2.0
    clock.pass_s(4000)
    with Ledger(path, clock) as third:
        assert third.used_s(clock(), BAND) == 0.0
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1


def test_an_entry_is_on_disk_before_the_burst_leaves(ledger: Ledger, path: Path) -> None:
    _reserve(_gate(ledger), _sent())
    entry = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    assert entry["utc"] == UTC
    assert entry["air_time_s"] == pytest.approx(7.12e-3 + 20e-6)
    assert entry["note"].startswith("T M2O 868950000 Hz -2.0 dBm")


def test_clock_set_back_is_refused(path: Path, clock: Clock) -> None:
    with Ledger(path, clock) as ledger:
        gate = _gate(ledger)
        _reserve(gate, _sent())
        clock.utc -= 0.5
        with pytest.raises(TransmissionRefused, match=r"0\.500 s behind .* set back"):
            _reserve(gate, _sent())
        with pytest.raises(TransmissionRefused, match="set back"):
            gate.check([_sent()], air_time_s)
    with pytest.raises(TransmissionRefused, match="set back"):
        Ledger(path, clock)
    clock.utc += 1.0
    Ledger(path, clock).close()  # refused attempts leave no lock behind


def test_clock_set_forward_does_not_make_entries_old(path: Path, clock: Clock) -> None:
    with Ledger(path, clock) as ledger:
        ledger.add(Entry(clock(), 3.6, BAND))
    clock.utc += 7200
    clock.boot_s += 5
    with Ledger(path, clock) as ledger:
        assert ledger.used_s(clock(), BAND) == 3.6
    clock.boot_id, clock.boot_s = "second", 60.0  # started anew: only the wall clock is left
    with Ledger(path, clock) as ledger:
        assert ledger.used_s(clock(), BAND) == 0.0


def test_two_programs_do_not_share_a_ledger(ledger: Ledger, path: Path, clock: Clock) -> None:
    with pytest.raises(TransmissionRefused, match="another program"):
        Ledger(path, clock)


@pytest.mark.parametrize("content", ["no json\n", "{}\n", '{"utc": "x"}\n', "[1]\n", "\xff\n", "null\n"])
def test_damaged_ledger_is_refused(content: str, path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.write_text(content, encoding="latin-1")
    with pytest.raises(TransmissionRefused, match="damaged"):
        Ledger(path, clock)


def test_line_that_was_not_written_whole_was_never_sent(path: Path, clock: Clock) -> None:
    with Ledger(path, clock) as ledger:
        ledger.add(Entry(clock(), 1.0, BAND))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"utc": 18000')
    with Ledger(path, clock) as ledger:
        assert ledger.used_s(clock(), BAND) == 1.0


def test_ledger_that_cannot_be_written_is_refused(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TransmissionRefused, match="fails"):
        Ledger(tmp_path / "file" / "ledger", clock)


def test_both_clocks_go_forward() -> None:
    first, second = now(), now()
    assert second.utc >= first.utc > 1.7e9
    assert second.boot_id == first.boot_id
    assert second.boot_s >= first.boot_s


# configuration


SECTION = """
[other]
x = 1
[transmit]
country_plan = "CEPT"
band = "A"
max_erp_dbm = 10
"""


def test_smallest_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "omsdr.toml"
    path.write_text(SECTION, encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    config = load_config(path)
    assert (config.country_plan, config.bands, config.max_erp_dbm) == ("CEPT", ("A",), 10.0)
    assert (config.cable_loss_db, config.antenna_gain_dbi) == (None, None)
    assert config.ledger == tmp_path / "omsdr" / "transmit-ledger.jsonl" == default_ledger_path()
    assert config.radios["hackrf"] == RadioConfig()
    assert config.radios["hackrf"].gain_db == 0.0, "gains start low"


def test_every_key_of_the_section(tmp_path: Path) -> None:
    path = tmp_path / "omsdr.toml"
    path.write_text(
        SECTION.replace('"A"', '["A", "B"]')
        + f'cable_loss_db = 1\nantenna_gain_dbi = -3\nledger = "{tmp_path}/l"\n[transmit.hackrf]\n'
        + "gain_db = 3\n"
        + "output_dbm = -30\namplifier = true\nclock_error_ppm = 7\n"
        + 'clock_tolerance_ppm = 1\nvia = "library"\n',
        encoding="utf-8",
    )
    config = load_config(path)
    assert (config.bands, config.cable_loss_db, config.antenna_gain_dbi) == (("A", "B"), 1.0, -3.0)
    assert config.ledger == tmp_path / "l"
    assert config.radios["hackrf"] == RadioConfig(3.0, -30.0, True, 7.0, 1.0, "library")


@pytest.mark.parametrize("missing", ["country_plan", "band", "max_erp_dbm"])
def test_section_names_plan_band_and_power(missing: str, tmp_path: Path) -> None:
    path = tmp_path / "omsdr.toml"
    lines = [line for line in SECTION.splitlines() if not line.startswith(missing)]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{missing} is missing"):
        load_config(path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('country_plan = "FCC"', "not known"),
        ('band = "C"', "band must be"),
        ("band = []", "band must be"),
        ("max_erp_dbm = 40", "max_erp_dbm must be"),
        ("cable_loss = 1", "did you mean 'cable_loss_db'"),
        ("hackrf = 1", r"write \[transmit.hackrf\]"),
        ('hackrf = { via = "usb" }', "via must be"),
        ('hackrf = { gain = "x" }', "unknown key 'gain'"),
        ("soapy = { amplifier = true }", "unknown key 'amplifier'"),
    ],
)
def test_mistakes_are_named(line: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "omsdr.toml"
    key = line.split()[0]
    lines = [old for old in SECTION.splitlines() if not old.startswith(f"{key} ")]
    path.write_text("\n".join([*lines, line]), encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        load_config(path)


def test_no_configuration_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransmissionRefused, match="no configuration"):
        load_config(tmp_path / "missing.toml")
    path = tmp_path / "omsdr.toml"
    path.write_text("[receive]\n", encoding="utf-8")
    with pytest.raises(TransmissionRefused, match=r"no section \[transmit\]"):
        load_config(path)
    path.write_text("transmit = 1", encoding="utf-8")
    with pytest.raises(ConfigError, match="as a section"):
        load_config(path)
    path.write_text("[", encoding="utf-8")
    with pytest.raises(ConfigError, match="not TOML"):
        load_config(path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_config_path() == tmp_path / "omsdr" / "omsdr.toml"
