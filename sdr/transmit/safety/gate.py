"""The gate: every burst that leaves an antenna passes it, or is refused with the numbers.

band ─▶ frequency inside the sub-band ─▶ length ─▶ power ─▶ duty cycle of the last hour ─▶ ledger
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsp.modes import PhyMode
from sdr.errors import TransmissionRefused
from sdr.traffic import Transmission
from sdr.transmit.safety.config import TransmitConfig
from sdr.transmit.safety.ledger import WINDOW_S, Entry, Instant, Ledger
from sdr.transmit.safety.limits import Limits, half_width_hz, limits_of
from sdr.transmit.safety.power import PowerBudget, power_budget
from sdr.units import format_hz


@dataclass(frozen=True, slots=True)
class Clearance:
    """What a burst may do and does.

    Attributes:
        limits: of its row.
        budget: its radiated power, term by term.
        air_time_s: how long it is on air.
        used_s: what the last hour of its sub-band already holds.
    """

    limits: Limits
    budget: PowerBudget
    air_time_s: float
    used_s: float

    @property
    def allowed_s(self) -> float:
        """Air time that an hour of the sub-band may hold."""
        return self.limits.duty_cycle * WINDOW_S


class SafetyGate:
    """Checks bursts against the PHY table, the configuration and the ledger.

    Args:
        config: the section ``[transmit]``.
        ledger: open ledger.
        kind: key of ``config.radios``.
        gain_db: gain that is set.
    """

    def __init__(self, config: TransmitConfig, ledger: Ledger, kind: str, gain_db: float) -> None:
        self._config = config
        self._ledger = ledger
        self._kind = kind
        self._gain_db = gain_db

    def check(
        self, sent: Sequence[Transmission], air_time_s: Callable[[Transmission], float]
    ) -> list[Clearance]:
        """Check a whole plan beforehand, each burst at the time it is due; nothing is written down.

        Raises:
            TransmissionRefused: one of them may not be sent.
        """
        begin = self._ledger.check_clock()
        planned: list[Entry] = []
        cleared = []
        for one in sent:
            moment = Instant(begin.utc + one.start_s, begin.boot_id, begin.boot_s + one.start_s)
            clearance = self._clear(one, air_time_s(one), moment, planned)
            planned.append(self._entry(one, clearance, moment))
            cleared.append(clearance)
        return cleared

    def reserve(self, sent: Transmission, air_time_s: float) -> None:
        """Check one burst now, and enter it in the ledger before it leaves.

        Raises:
            TransmissionRefused: it may not be sent.
        """
        moment = self._ledger.check_clock()
        clearance = self._clear(sent, air_time_s, moment, [])
        self._ledger.add(self._entry(sent, clearance, moment))

    def _entry(self, sent: Transmission, clearance: Clearance, moment: Instant) -> Entry:
        note = f"{sent.row.name} {sent.carrier_hz:.0f} Hz {clearance.budget.erp_dbm:.1f} dBm ERP"
        return Entry(moment, clearance.air_time_s, clearance.limits.sub_band_hz, note)

    def _clear(
        self, sent: Transmission, air_time_s: float, moment: Instant, planned: list[Entry]
    ) -> Clearance:
        row = sent.row
        limits = limits_of(row, sent.center_hz)
        self._check_band(row)
        self._check_frequency(sent, limits)
        if air_time_s > limits.max_air_time_s:
            raise TransmissionRefused(
                f"{row.name}: a burst of {1e3 * air_time_s:.1f} ms is too long; "
                f"the longest frame takes {1e3 * limits.max_air_time_s:.1f} ms"
            )
        level_dbfs = sent.settings.level_dbfs
        if level_dbfs is None:
            raise TransmissionRefused(f"{row.name}: the radiated power is unknown: the burst has no level")
        budget = power_budget(self._config, self._kind, self._gain_db, level_dbfs)
        most_dbm = min(limits.max_erp_dbm, self._config.max_erp_dbm)
        if not budget.erp_dbm <= most_dbm:
            raise TransmissionRefused(
                f"{row.name}: {budget} is above {most_dbm:.1f} dBm "
                f"(the row permits {limits.max_erp_dbm:.1f}, max_erp_dbm is {self._config.max_erp_dbm:g})"
            )
        used_s = self._ledger.used_s(moment, limits.sub_band_hz)
        used_s += sum(entry.air_time_s for entry in planned if entry.counts(moment, limits.sub_band_hz))
        clearance = Clearance(limits, budget, air_time_s, used_s)
        if used_s + air_time_s > clearance.allowed_s:
            low_hz, high_hz = limits.sub_band_hz
            raise TransmissionRefused(
                f"{row.name}: the duty cycle of {100 * limits.duty_cycle:g} % in "
                f"{format_hz(low_hz)} to {format_hz(high_hz)} is used up: {used_s:.3f} s in the last hour "
                f"and {air_time_s:.3f} s for this burst, {clearance.allowed_s:.3f} s permitted"
            )
        return clearance

    def _check_band(self, row: PhyMode) -> None:
        if not set(row.bands) & set(self._config.bands):
            raise TransmissionRefused(
                f"{row.name} is in band {', '.join(row.bands)}, "
                f"but the configuration permits {', '.join(self._config.bands)}"
            )

    def _check_frequency(self, sent: Transmission, limits: Limits) -> None:
        tolerance_ppm = self._config.radios[self._kind].clock_tolerance_ppm
        drift_hz = abs(sent.impairments.carrier_drift_hz_per_s) * sent.whole_duration_s
        half_hz = (
            half_width_hz(sent.row, sent.deviation_hz) + 1e-6 * tolerance_ppm * sent.center_hz + drift_hz
        )
        low_hz, high_hz = sent.carrier_hz - half_hz, sent.carrier_hz + half_hz
        if low_hz < limits.sub_band_hz[0] or high_hz > limits.sub_band_hz[1]:
            raise TransmissionRefused(
                f"{sent.row.name}: a carrier of {format_hz(sent.carrier_hz)} may occupy "
                f"{format_hz(low_hz)} to {format_hz(high_hz)} (clock ±{tolerance_ppm:g} ppm), outside of "
                f"{format_hz(limits.sub_band_hz[0])} to {format_hz(limits.sub_band_hz[1])}"
            )
