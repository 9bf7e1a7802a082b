"""Everything between I/Q bursts and the outside: where they go, and what is allowed to go.

    burst ─▶ safety (gate, ledger) ─▶ sink: file · HackRF · SoapySDR

Bursts are made in sdr/transmitter.py; nothing here knows a meter.
"""
