"""Nothing leaves an antenna except through here.

config   the section [transmit]: plan, band, power, gains, cable, antenna
limits   what the PHY table permits on a row, doubtful values read strictly
power    what the configured radio radiates
ledger   what was sent in the last hour, on disk, with the latest time ever seen
gate     all of it together, before each burst
"""
