"""Fuzzing: what the tool reads, spoiled by the thousand, against what must hold whatever is read.

`test_fuzz.py` is the short, always equal run of every day; `python -m tests.fuzz` (`nox -s fuzz`) the long, guided one.
"""
