"""What a configured radio radiates.

ERP = output + (gain − gain of the measurement) + level − cable loss + antenna gain − 2.15 dB
dBm   dBm                                         dBFS                 dBi            dBi of a dipole
"""

from __future__ import annotations

from dataclasses import dataclass

from sdr.errors import TransmissionRefused
from sdr.transmit.safety.config import TransmitConfig

DIPOLE_DBI = 2.15
"""ERP refers to a half-wave dipole, gains in dBi to an isotropic radiator."""


@dataclass(frozen=True, slots=True)
class PowerBudget:
    """The terms of the sum."""

    output_dbm: float
    gain_change_db: float
    level_dbfs: float
    cable_loss_db: float
    antenna_gain_dbi: float

    @property
    def erp_dbm(self) -> float:
        """Effective radiated power."""
        return (
            self.output_dbm
            + self.gain_change_db
            + self.level_dbfs
            - self.cable_loss_db
            + self.antenna_gain_dbi
            - DIPOLE_DBI
        )

    def __str__(self) -> str:
        return (
            f"{self.erp_dbm:.1f} dBm ERP (output {self.output_dbm:.1f} dBm, "
            f"gain {self.gain_change_db:+.1f} dB, level {self.level_dbfs:.1f} dBFS, "
            f"cable -{self.cable_loss_db:.1f} dB, antenna {self.antenna_gain_dbi:+.1f} dBi)"
        )


def power_budget(config: TransmitConfig, kind: str, gain_db: float, level_dbfs: float) -> PowerBudget:
    """Add up what a radio radiates.

    Args:
        config: the section.
        kind: key of its ``radios``.
        gain_db: gain that is set.
        level_dbfs: level of the samples.

    Raises:
        TransmissionRefused: a term is not known.
    """
    radio = config.radios[kind]
    named = {
        f"[transmit.{kind}] output_dbm": radio.output_dbm,
        "[transmit] cable_loss_db": config.cable_loss_db,
        "[transmit] antenna_gain_dbi": config.antenna_gain_dbi,
    }
    output_dbm, cable_loss_db, antenna_gain_dbi = named.values()
    if output_dbm is None or cable_loss_db is None or antenna_gain_dbi is None:
        missing = ", ".join(name for name, value in named.items() if value is None)
        raise TransmissionRefused(f"the radiated power is unknown: {missing} missing in the configuration")
    return PowerBudget(output_dbm, gain_db - radio.gain_db, level_dbfs, cable_loss_db, antenna_gain_dbi)
