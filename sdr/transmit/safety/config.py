"""The section ``[transmit]`` of the configuration: without it nothing is radiated.

[transmit]
country_plan         whose limits hold; "CEPT" (ERC 70-03, the limits of the PHY table) is the one known
band                 "A" (868 MHz), "B" (433 MHz) or a list of them
max_erp_dbm          never more than this, whatever the mode permits
cable_loss_db        between radio and antenna          } unknown means refused
antenna_gain_dbi     over an isotropic radiator         }
ledger               file that remembers what was sent (optional)

[transmit.hackrf], [transmit.soapy]
gain_db              the gain that is set (default 0, the lowest)
output_dbm           measured: power at the radio's socket of a full-scale tone at that gain
clock_error_ppm      known error of the radio's clock, made up for (default 0)
clock_tolerance_ppm  how far the clock may be off besides (default 20, as of a HackRF)
amplifier            HackRF only: its RF amplifier on (default false), as when output_dbm was measured
via                  HackRF only: "program" (hackrf_transfer) or "library"; default: what is there
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsp.modes import BANDS
from sdr.errors import ConfigError, TransmissionRefused
from sdr.toml_table import TomlTable

COUNTRY_PLANS = ("CEPT",)
DEVICE_KINDS = ("hackrf", "soapy")
HACKRF_WAYS = ("program", "library")


@dataclass(frozen=True, slots=True)
class RadioConfig:
    """What is known of one kind of radio.

    Attributes:
        gain_db: gain that is set.
        output_dbm: conducted power of a full-scale tone at ``gain_db``; None where not measured.
        amplifier: the RF amplifier is on.
        clock_error_ppm: known error of its clock.
        clock_tolerance_ppm: what the clock may be off besides.
        via: how a HackRF is reached; None for what is there.
    """

    gain_db: float = 0.0
    output_dbm: float | None = None
    amplifier: bool = False
    clock_error_ppm: float = 0.0
    clock_tolerance_ppm: float = 20.0
    via: str | None = None


@dataclass(frozen=True, slots=True)
class TransmitConfig:
    """The section, checked.

    Attributes:
        country_plan: name of the rules.
        bands: keys of ``dsp.modes.BANDS`` that may be used.
        max_erp_dbm: the user's own limit.
        cable_loss_db: between radio and antenna; None where unknown.
        antenna_gain_dbi: of the antenna; None where unknown.
        ledger: file that remembers what was sent.
        radios: by kind of device.
    """

    country_plan: str
    bands: tuple[str, ...]
    max_erp_dbm: float
    cable_loss_db: float | None
    antenna_gain_dbi: float | None
    ledger: Path
    radios: dict[str, RadioConfig]


def default_config_path() -> Path:
    """Return where the configuration is looked for unless told otherwise."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "omsdr" / "omsdr.toml"


def default_ledger_path() -> Path:
    """Return where the ledger lies unless told otherwise."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "omsdr" / "transmit-ledger.jsonl"


def load_config(path: Path) -> TransmitConfig:
    """Read the section.

    Raises:
        TransmissionRefused: there is no such file or section.
        ConfigError: it makes no sense.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TransmissionRefused(f"no configuration {path}; see docs/transmit.md") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    if "transmit" not in document:
        raise TransmissionRefused(f"{path} has no section [transmit]; see docs/transmit.md")
    if not isinstance(document["transmit"], dict):
        raise ConfigError(f"{path}: write [transmit] as a section")
    return _parse(document["transmit"], f"{path}: [transmit]")


def _parse(values: dict[str, Any], where: str) -> TransmitConfig:
    table = TomlTable(values, where)
    plan = table.text("country_plan")
    if plan not in COUNTRY_PLANS:
        raise table.error(f"country_plan {plan!r} is not known; known: {', '.join(COUNTRY_PLANS)}")
    ledger = table.text("ledger", "")
    config = TransmitConfig(
        country_plan=plan,
        bands=_bands(table),
        max_erp_dbm=table.number("max_erp_dbm", least=-100.0, most=30.0),
        cable_loss_db=_optional(table, "cable_loss_db", 0.0, 100.0),
        antenna_gain_dbi=_optional(table, "antenna_gain_dbi", -50.0, 30.0),
        ledger=Path(ledger).expanduser() if ledger else default_ledger_path(),
        radios={kind: _radio(table, kind, where) for kind in DEVICE_KINDS},
    )
    table.finish()
    return config


def _bands(table: TomlTable) -> tuple[str, ...]:
    value = table.required("band")
    bands = value if isinstance(value, list) else [value]
    if not bands or any(band not in BANDS for band in bands):
        raise table.error(f"band must be one or a list of {', '.join(BANDS)}")
    return tuple(bands)


def _optional(table: TomlTable, key: str, least: float, most: float) -> float | None:
    value = table.take(key)
    return None if value is None else table.checked(key, value, least, most)


def _radio(parent: TomlTable, kind: str, where: str) -> RadioConfig:
    values = parent.take(kind, {})
    if not isinstance(values, dict):
        raise parent.error(f"write [transmit.{kind}] as a section")
    table = TomlTable(values, f"{where[:-1]}.{kind}]")
    radio = RadioConfig(
        gain_db=table.number("gain_db", 0.0, least=-100.0, most=100.0),
        output_dbm=_optional(table, "output_dbm", -150.0, 60.0),
        amplifier=table.flag("amplifier") if kind == "hackrf" else False,
        clock_error_ppm=table.number("clock_error_ppm", 0.0, least=-1000.0, most=1000.0),
        clock_tolerance_ppm=table.number("clock_tolerance_ppm", 20.0, least=0.0, most=1000.0),
        via=table.text("via", "") or None if kind == "hackrf" else None,
    )
    if radio.via not in (None, *HACKRF_WAYS):
        raise table.error(f"via must be one of {', '.join(HACKRF_WAYS)}")
    table.finish()
    return radio
