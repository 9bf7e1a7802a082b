"""Signal processing for wireless M-Bus: arrays in, arrays out; knows radio modes, no meters."""
