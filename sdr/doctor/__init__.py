"""``omsdr doctor``: what is installed, which radios are there, what is wrong and how to mend it."""

from sdr.doctor.finding import Finding, Level

__all__ = ["Finding", "Level"]
