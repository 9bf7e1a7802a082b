"""Fuzzing of the protocol package: one target per depth at which bytes come in.

    seeds         bytes at every depth, from the messages of OMS Vol. 2 Annex N
    lower         link bytes, wired bytes, the walk to the transport layer, each layer alone
    sealed        security, and telegrams around encrypted application data
    upper         decrypted application data of every protocol, descriptions
    targets       all of them in one table
    __main__      ``python -m fuzz TARGET``: coverage-guided, with atheris

A target takes any bytes and returns None. It lets `ProtocolError` pass in silence; every other
exception, and everything that is promised and does not hold, comes out as an exception.
"""
