"""I/Q recordings, both ways: raw cu8, cs8, cs16 and cf32, WAV, SigMF, standard input.

Reading: ``expand_paths`` → ``open_recording`` → ``Recording.segments`` → ``Segment.chunks``.
Writing: ``create_recording`` → ``RecordingWriter.write`` and ``annotate``.
"""

from sdr.recording.opening import FORMATS, open_recording
from sdr.recording.paths import InputPath, expand_paths
from sdr.recording.reader import RawChunk, Recording, Segment
from sdr.recording.writer import RecordingWriter, create_recording

__all__ = [
    "FORMATS",
    "InputPath",
    "RawChunk",
    "Recording",
    "RecordingWriter",
    "Segment",
    "create_recording",
    "expand_paths",
    "open_recording",
]
