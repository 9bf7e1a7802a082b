"""Render the scenes again: ``python recordings/make.py`` makes every recording and manifest.toml.

Rendering is deterministic: unless a scene or the simulator changes, nothing changes.
"""

from __future__ import annotations

from pathlib import Path

from sdr import scene as scenes
from sdr.commands.simulate import record
from sdr.sample_format import SampleFormat
from sdr.simulator import truth
from sdr.traffic import Transmission

FOLDER = Path(__file__).parent

# recording: scene, band, sample format
RECORDINGS = {
    "street_868.9M_2400k.cu8": ("street_868", "A", SampleFormat.CU8),
    "r2_868.36M_300k.cu8": ("r2_868", "A", SampleFormat.CU8),
    "n_169.46M_200k.sigmf-meta": ("n_169", "A", SampleFormat.CS8),
    "f_433.8M_200k.cu8": ("f_433", "A", SampleFormat.CU8),
    "street_433.95M_1600k.cu8": ("street_433", "B", SampleFormat.CU8),
}

HEADER = """\
# What each recording is, and what must be heard in it. Written by make.py from the scenes.
# Frames are CRC-less, with the L-field of frame format A.
"""


def main() -> None:
    """Write all recordings and the manifest."""
    entries = [HEADER]
    for name, (scene_name, band, sample_format) in RECORDINGS.items():
        scene = scenes.load(FOLDER / "scenes" / f"{scene_name}.toml")
        record(scene, FOLDER / name, sample_format)
        # The manifest holds the truth of raw recordings; only SigMF carries its own.
        (FOLDER / f"{name}.json").unlink(missing_ok=True)
        entries.append(_entry(name, scene_name, band, sample_format, scene))
    (FOLDER / "manifest.toml").write_text("\n".join(entries), encoding="utf-8")


def _entry(name: str, scene_name: str, band: str, sample_format: SampleFormat, scene: scenes.Scene) -> str:
    lines = [
        "[[recording]]",
        f'file = "{name}"',
        f'description = "{scene.description}"',
        f'origin = "generated from scenes/{scene_name}.toml"',
        f'scene = "scenes/{scene_name}.toml"',
        'licence = "CC0-1.0"',
        f"sample_rate_hz = {scene.sample_rate_hz:.0f}",
        f"center_hz = {scene.center_hz:.0f}",
        f'format = "{sample_format.label}"',
        f'band = "{band}"',
        f"duration_s = {scene.duration_s:g}",
        "expected = [",
        *(_expected(sent, scene.sample_rate_hz) for sent in truth(scene)),
        "]",
        "",
    ]
    return "\n".join(lines)


def _expected(sent: Transmission, sample_rate_hz: float) -> str:
    return (
        f'    {{ mode = "{sent.mode}", direction = "{sent.direction}", frame_format = "{sent.frame_format}", '
        f'first_sample = {sent.first_sample(sample_rate_hz)}, frame_hex = "{sent.frame.hex()}" }},'
    )


if __name__ == "__main__":
    main()
