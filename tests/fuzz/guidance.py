"""Which lines of the tool a case reaches: a case that reaches new ones is worth going on from."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import jdv_qa

_OURS = str(Path(jdv_qa.__file__).resolve().parent)


class Reached:
    """The lines of jdv_qa reached so far, gathered between `__enter__` and `__exit__`. `fresh`: those of the last case."""

    def __init__(self) -> None:
        self.lines: set[tuple[CodeType, int]] = set()
        self.fresh = 0

    def __enter__(self) -> Reached:
        self.fresh = 0
        sys.settrace(self._enter_frame)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _enter_frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(_OURS) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and (place := (frame.f_code, frame.f_lineno)) not in self.lines:
            self.lines.add(place)
            self.fresh += 1
        return self._line
