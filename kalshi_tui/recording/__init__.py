"""Recordings of the stream: format, writing, reading and verifying (docs/RECORDING.md)."""
