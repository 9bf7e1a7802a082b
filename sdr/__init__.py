"""Software radio receiver and transmitter for wireless M-Bus: sources, files, command line."""
