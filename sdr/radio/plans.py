"""Where to tune for which modes: one span that holds all their carriers.

    868.3 S     868.95 T, C     869.525 C downlink      868.03…868.57 R2
    ├────────────────┼──────────────────┤               at 868.9 MHz and 2.4 MS/s every carrier is 50 kHz
                  868.9                                 or more from the spike at 0 Hz, and 60 % of the
                                                        half span at most from the middle
Rows further down hold less or come closer to the edges, and cost less: the way to fall back when a machine
or its USB does not keep up.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdr.errors import UsageError


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """One way to tune.

    Attributes:
        modes: mode letters whose carriers lie inside.
        band: key of ``dsp.modes.BANDS``.
        sample_rate_hz, center_hz: what to set.
    """

    modes: frozenset[str]
    band: str
    sample_rate_hz: float
    center_hz: float


PLANS = (
    TuningPlan(frozenset("STCR"), "A", 2.4e6, 868.9e6),
    TuningPlan(frozenset("STCR"), "A", 2.0e6, 868.88e6),
    TuningPlan(frozenset("TC"), "A", 1.2e6, 869.2e6),
    TuningPlan(frozenset("N"), "A", 1.2e6, 169.65e6),
    TuningPlan(frozenset("F"), "A", 1.2e6, 434.0e6),
    TuningPlan(frozenset("STCF"), "B", 1.6e6, 434.0e6),
    TuningPlan(frozenset("STCF"), "B", 1.4e6, 434.0e6),
)
_ALL = {"A": "STC", "B": "STCF"}


def plans_for(modes: tuple[str, ...] | None, band: str | None) -> list[TuningPlan]:
    """Return the ways to tune, the best first; the rest are to fall back to.

    Raises:
        UsageError: no span holds these modes together.
    """
    band = band or "A"
    wanted = frozenset(_ALL[band] if modes is None else modes)
    fits = [plan for plan in PLANS if plan.band == band and wanted <= plan.modes]
    if not fits:
        raise UsageError(
            f"--modes {','.join(sorted(wanted))}: no span of a radio holds these together; "
            "S, T, C and R lie at 868 MHz, N at 169 MHz, F at 434 MHz: take a radio for each, or --center"
        )
    fewest = min(len(plan.modes) for plan in fits)  # no wider than what was asked for needs
    fits = [plan for plan in fits if len(plan.modes) == fewest]
    # what holds only a part comes last: hearing T and C beats hearing nothing whole
    partial = [
        plan for plan in PLANS if plan.band == band and not wanted <= plan.modes and wanted & plan.modes
    ]
    return fits + [plan for plan in partial if plan.sample_rate_hz < fits[-1].sample_rate_hz]
