"""Scenes: every key lands where it belongs, and every mistake is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.modes import MODES, PhyMode
from sdr.errors import ConfigError
from sdr.scene import Interval, RandomPayload, Scene, load, parse

# OMS Vol. 2 Annex N, N.2.1, without CRCs
FRAME = "2E4493157856341233037A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
TOP = 'rate = "2.4M"\ncenter = "868.9M"\nduration = 2.0\nnoise_dbfs = -40\n'
METER = '[[meter]]\nmode = "T"\nsnr_db = 20\n'
AT = "at = [0.1, 1.1]\n"
FRAME_LINE = f'frame = "{FRAME}"\n'
STREET = '[street]\nrate_per_s = 50\nmodes = ["T", "C"]\nsnr_db = [12, 35]\npayload = [20, 60]\n'


def _meter(lines: str) -> Scene:
    return parse(TOP + METER + lines)


def test_smallest_scene_of_the_documentation() -> None:
    scene = parse(TOP + "seed = 1\n" + METER + AT + FRAME_LINE)
    assert (scene.sample_rate_hz, scene.center_hz, scene.duration_s) == (2.4e6, 868.9e6, 2.0)
    assert (scene.seed, scene.noise_dbfs, scene.start_time, scene.street) == (1, -40.0, None, None)
    assert (scene.dc, scene.iq_gain_db, scene.gain_db, scene.description) == (0j, 0.0, 0.0, "")
    (meter,) = scene.meters
    assert (meter.row.name, meter.direction, meter.frame_format) == ("T M2O", "M2O", "A")
    assert (meter.center_hz, meter.bursts[0].snr_db, meter.schedule) == (868.95e6, 20.0, (0.1, 1.1))
    assert meter.frames == (bytes.fromhex(FRAME),)
    assert meter.bursts[0].impairments.deviation_hz == 50e3
    assert (meter.bursts[0].preamble_pairs, meter.inverted) == (19, False)


def test_every_key_of_the_top() -> None:
    scene = parse(
        "rate = 1_600_000\ncenter = 433.95e6\nduration = 1\nnoise_dbfs = -30.5\nseed = 7\n"
        'start_time = 2026-11-20T10:00:00+01:00\nband = "B"\ndc = [0.01, -0.02]\n'
        'iq_gain_db = 0.5\ngain_db = 12\ndescription = "x"\n[[meter]]\nmode = "T"\ndirection = "O2M"\n'
        "snr_db = 1\n" + AT + FRAME_LINE
    )
    assert (scene.sample_rate_hz, scene.center_hz, scene.seed) == (1.6e6, 433.95e6, 7)
    assert scene.start_time == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert (scene.dc, scene.iq_gain_db, scene.gain_db) == (0.01 - 0.02j, 0.5, 12.0)
    assert scene.description == "x"
    assert scene.meters[0].row.name == "T2 O2M 433"
    assert parse(TOP + 'start_time = "2026-11-20T09:00:00Z"').start_time == scene.start_time
    assert parse(TOP + "dc = 0.1").dc == 0.1


def test_every_key_of_a_meter() -> None:
    meter = _meter(
        f'interval = 0.5\nfirst = 0.2\njitter = 0.01\ncount = 3\nframes = ["{FRAME}", "{FRAME.lower()}"]\n'
        'deviation = "48k"\nchip_rate_error_ppm = 2600\nchip_rate_drift_ppm = -7200\n'
        "carrier_offset_hz = -12000\ncarrier_drift_hz_per_s = 5000\nramp_us = 20\n"
        "preamble_pairs = 30\npostamble_chips = 8\ninverted = true\n"
    ).meters[0]
    assert meter.schedule == Interval(interval_s=0.5, first_s=0.2, jitter_s=0.01, count=3)
    assert meter.frames == (bytes.fromhex(FRAME),) * 2
    (settings,) = meter.bursts
    wrong = settings.impairments
    assert (wrong.carrier_offset_hz, wrong.carrier_drift_hz_per_s, wrong.deviation_hz) == (-12e3, 5e3, 48e3)
    assert (wrong.chip_rate_error, wrong.chip_rate_drift) == pytest.approx((2600e-6, -7200e-6))
    assert wrong.ramp_s == pytest.approx(20e-6)
    assert (settings.preamble_pairs, settings.postamble_chips, meter.inverted) == (30, 8, True)


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_every_row_by_its_name(row: PhyMode) -> None:
    for frame_format in row.frame_formats:
        meter = parse(
            TOP
            + f'[[meter]]\nmode = "{row.name}"\nframe_format = "{frame_format}"\nsnr_db = 9\n'
            + AT
            + FRAME_LINE
        ).meters[0]
        assert meter.row is row
        assert meter.frame_format == frame_format
        assert meter.direction == ("M2O" if row.direction == "both" else row.direction)
        assert meter.center_hz == row.centers_hz[row.default_channel]


def test_r2_channels_and_sub_modes() -> None:
    text = '[[meter]]\nmode = "R"\nsnr_db = 9\n' + AT + FRAME_LINE
    assert parse(TOP + text).meters[0].center_hz == pytest.approx(868.330e6)
    assert parse(TOP + text + "channel = 9").meters[0].center_hz == pytest.approx(868.570e6)
    n2g = parse(TOP + text.replace('"R"', '"N"\nsub_mode = "N2g"'))
    assert n2g.meters[0].row.name == "N2g"
    gateway = parse(TOP + text.replace('"R"', '"N"\ndirection = "O2M"'))
    assert gateway.meters[0].direction == "O2M"
    own_band = parse(TOP + text.replace('"R"', '"C"\nband = "B"'))
    assert own_band.meters[0].row.name == "C M2O 433"


def test_random_payload() -> None:
    assert _meter(AT + "random_payload = 246").meters[0].frames == RandomPayload(246, 246)
    assert _meter(AT + "random_payload = [1, 20]").meters[0].frames == RandomPayload(1, 20)
    c_b = 'frame_format = "B"\n'
    scene = parse(TOP + METER.replace("T", "C") + c_b + AT + "random_payload = 242")
    assert scene.meters[0].frames == RandomPayload(242, 242)
    with pytest.raises(ConfigError, match="1 to 242"):
        parse(TOP + METER.replace("T", "C") + c_b + AT + "random_payload = 243")


def test_street() -> None:
    street = parse(TOP + STREET).street
    assert street is not None
    assert [row.name for row in street.rows] == ["T M2O", "C M2O"]
    assert (street.rate_per_s, street.weights, street.snr_db) == (50.0, (1.0, 1.0), (12.0, 35.0))
    assert street.payload == RandomPayload(20, 60)
    assert (street.carrier_offset_hz, street.chip_rate_error) == (None, None)
    weighted = parse(
        TOP
        + STREET.replace('["T", "C"]', '{ T = 3, "C2 O2M" = 0.5 }')
        + "carrier_offset_hz = [-20000, 20000]\nchip_rate_error_ppm = [-10000, 10000]"
    ).street
    assert weighted is not None
    assert [row.name for row in weighted.rows] == ["T M2O", "C2 O2M"]
    assert weighted.weights == (3.0, 0.5)
    assert weighted.carrier_offset_hz == (-20e3, 20e3)
    assert weighted.chip_rate_error == pytest.approx((-0.01, 0.01))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rate = 1 =", "not TOML"),
        ('center = "868.9M"\nduration = 1\nnoise_dbfs = 0', "rate is missing"),
        (TOP.replace('"2.4M"', '"fast"'), "rate: 'fast' is not a frequency"),
        (TOP.replace('"2.4M"', "-1"), "rate must be from 1000 to 1e"),
        (TOP.replace("2.0", "0"), "duration must be from"),
        (TOP.replace("-40", "nan"), "noise_dbfs must be a number"),
        (TOP.replace("-40", '"quiet"'), "noise_dbfs must be a number, not 'quiet'"),
        (TOP + "sede = 1", "unknown key 'sede'.*'seed'"),
        (TOP + "colour = 1", "unknown key 'colour' .known: band, rate, center"),
        (TOP + "seed = -1", "seed must be from 0"),
        (TOP + "seed = 1.5", "seed must be a whole number"),
        (TOP + f"seed = {'9' * 400}", "seed must be a number"),
        (TOP + f"seed = {'9' * 5000}", "not TOML"),
        (TOP + f"seed = 0x{'f' * 5000}", "such a large number"),
        (TOP + 'band = "C"', "band must be one of A, B, not 'C'"),
        (TOP + 'start_time = "yesterday"', "start_time: 'yesterday' is not a time"),
        (TOP + "start_time = 2026-11-20", "start_time must be a date with a time"),
        (TOP + "dc = [1, 2, 3]", "dc must be"),
        (TOP + "dc = 1.5", "dc must be from -1 to 1"),
        (TOP + "description = 1", "description must be a text"),
        (TOP + "meter = 1", r"\[\[meter\]\]"),
        (TOP + '[meter]\nmode = "T"', r"\[\[meter\]\]"),
        (TOP + "street = 1", r"\[street\]"),
    ],
)
def test_mistakes_at_the_top(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse(text)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (FRAME_LINE, "give either at or interval"),
        (AT + "interval = 1\n" + FRAME_LINE, "give either at or interval"),
        (AT, "give one of frame, frames or random_payload"),
        (AT + FRAME_LINE + "random_payload = 5", "give one of frame"),
        ("at = []\n" + FRAME_LINE, "at must be a list of numbers"),
        ('at = ["now"]\n' + FRAME_LINE, "at must be a number, not 'now'"),
        ("interval = 0\n" + FRAME_LINE, "interval must be from 0.001"),
        ("interval = 1\ncount = 0\n" + FRAME_LINE, "count must be from 1"),
        (AT + 'frame = "xyz"', "not hex"),
        (AT + "frame = 46", "a frame is a hex text"),
        (AT + 'frame = ""', "L-field does not count"),
        (AT + f'frame = "{FRAME[:-2]}"', "L-field does not count the 46 bytes"),
        (AT + 'frame = "0344"', "L-field"),
        (AT + "frames = []", "frames must be a list"),
        (AT + f'frames = "{FRAME}"', "frames must be a list"),
        (AT + "random_payload = 0", "from 1 to 246"),
        (AT + "random_payload = [30, 20]", "from 1 to 246"),
        (AT + "random_payload = 2.5", "whole bytes"),
        (AT + FRAME_LINE + 'frame_format = "B"', "T M2O has no frame format 'B'"),
        (AT + FRAME_LINE + 'direction = "up"', "direction must be M2O or O2M, not 'up'"),
        (AT + FRAME_LINE + "channel = 1", "channel must be from 0 to 0"),
        (AT + FRAME_LINE + 'sub_mode = "C M2O"', "C M2O is no sub-mode of T"),
        (AT + FRAME_LINE + 'sub_mode = "T2 O2M"\ndirection = "M2O"', "T2 O2M is not for direction M2O"),
        (AT + FRAME_LINE + 'band = "Z"', "meter 1: band must be one of"),
        (AT + FRAME_LINE + "inverted = 1", "inverted must be true or false"),
        (AT + FRAME_LINE + 'deviation = "wide"', "deviation: 'wide'"),
        (AT + FRAME_LINE + "chip_rate_eror_ppm = 3", "meter 1: unknown key.*'chip_rate_error_ppm'"),
        (AT + FRAME_LINE + "first = 0.1", "unknown key 'first'"),
    ],
)
def test_mistakes_of_a_meter(lines: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        _meter(lines)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"C"', '"Q"', "street: no PHY mode 'Q'"),
        ('["T", "C"]', "[]", "street: modes must be a list"),
        ('["T", "C"]', "{ T = 0 }", "weight of T must be from"),
        ("[12, 35]", "[35, 12]", r"snr_db must be \[min, max\]"),
        ("[12, 35]", "12", "snr_db must be a list"),
        ("[20, 60]", "[20, 250]", "payload must be .* from 1 to 242"),
        ("50", "0", "rate_per_s must be from"),
        ("rate_per_s", "rate", "rate_per_s is missing"),
        ("[street]", "[street]\nseed = 1", "street: unknown key 'seed'"),
    ],
)
def test_mistakes_of_a_street(old: str, new: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse(TOP + STREET.replace(old, new, 1))


def test_postamble_only_where_there_is_one() -> None:
    with pytest.raises(ConfigError, match="C M2O has no postamble"):
        parse(TOP + METER.replace("T", "C") + AT + FRAME_LINE + "postamble_chips = 4")


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"description = '\xe4'")
    with pytest.raises(ConfigError, match=r"latin\.toml: cannot be read"):
        load(tmp_path / "latin.toml")
    (tmp_path / "bad.toml").write_text("rate = 1")
    with pytest.raises(ConfigError, match=r"bad\.toml: rate must be"):
        load(tmp_path / "bad.toml")


TOML_VALUES = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(str),
    st.text("abMkT0123456789 .-", max_size=12).map(lambda text: f'"{text}"'),
    st.sampled_from(["true", "[]", "[1, 2]", '["T"]', "[[]]", "{ a = 1 }", "2026-11-20", "10:00:00"]),
)
KEYS = [
    "rate",
    "center",
    "duration",
    "seed",
    "noise_dbfs",
    "start_time",
    "band",
    "dc",
    "gain_db",
    "meter",
    "street",
]
METER_KEYS = [
    *(
        "mode",
        "direction",
        "band",
        "frame_format",
        "sub_mode",
        "channel",
        "snr_db",
        "at",
        "interval",
        "first",
    ),
    *("jitter", "count", "frame", "frames", "random_payload", "deviation", "chip_rate_error_ppm", "ramp_us"),
    *("carrier_offset_hz", "preamble_pairs", "postamble_chips", "inverted", "rate_per_s", "modes", "payload"),
]


@given(
    st.dictionaries(st.sampled_from(KEYS), TOML_VALUES),
    st.dictionaries(st.sampled_from(METER_KEYS), TOML_VALUES),
    st.sampled_from(["[[meter]]", "[street]"]),
)
def test_any_values_give_a_scene_or_a_clear_error(
    top: dict[str, str], table: dict[str, str], heading: str
) -> None:
    good_top = {"rate": '"2.4M"', "center": '"868.9M"', "duration": "1", "noise_dbfs": "-30"}
    good_table = (
        {"mode": '"T"', "snr_db": "20", "at": "[0.1]", "random_payload": "20"}
        if heading == "[[meter]]"
        else {"modes": '["T"]', "snr_db": "[1, 2]", "payload": "[3, 4]", "rate_per_s": "5"}
    )
    lines = [f"{key} = {value}" for key, value in (good_top | top).items()]
    lines += [heading, *(f"{key} = {value}" for key, value in (good_table | table).items())]
    try:
        assert isinstance(parse("\n".join(lines)), Scene)
    except ConfigError as error:
        assert str(error).startswith("scene: ")


def test_values_taken_in_turn() -> None:
    lines = AT + FRAME_LINE + "preamble_pairs = [19, 40, 60]\ndeviation = [40e3, 50e3, 80e3]\n"
    text = TOP + METER.replace("snr_db = 20", "snr_db = { from = 20, to = 15, step = -2.5 }") + lines
    (meter,) = parse(text).meters
    assert [settings.snr_db for settings in meter.bursts] == [20.0, 17.5, 15.0]
    assert [settings.preamble_pairs for settings in meter.bursts] == [19, 40, 60]
    assert [settings.impairments.deviation_hz for settings in meter.bursts] == [40e3, 50e3, 80e3]
    assert {settings.impairments.chip_rate_error for settings in meter.bursts} == {0.0}
    with pytest.raises(ConfigError, match="ramp_us has 2 values to take in turn, another list 3"):
        parse(text + "ramp_us = [1, 2]\n")
    for steps in ("step = 0", "step = 2", "step = -1e-9"):
        with pytest.raises(ConfigError, match="steps of"):
            parse(text.replace("step = -2.5", steps))
    with pytest.raises(ConfigError, match="whole number"):
        parse(text.replace("[19, 40, 60]", "[19, 40, 60.5]"))


def test_scene_without_noise() -> None:
    top = TOP.replace("noise_dbfs = -40", 'noise_dbfs = "none"')
    level = METER.replace("snr_db = 20", "level_dbfs = -3")
    scene = parse(top + level + AT + FRAME_LINE)
    assert scene.noise_dbfs is None
    assert (scene.meters[0].bursts[0].level_dbfs, scene.meters[0].bursts[0].snr_db) == (-3.0, None)
    with pytest.raises(ConfigError, match="needs noise"):
        parse(top + METER + AT + FRAME_LINE)
    with pytest.raises(ConfigError, match="needs noise"):
        parse(top + STREET)
    with pytest.raises(ConfigError, match="one of snr_db or level_dbfs"):
        parse(TOP + METER + "level_dbfs = -3\n" + AT + FRAME_LINE)
