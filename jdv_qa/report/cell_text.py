"""What a cell of a report in Excel can hold of a text."""

from __future__ import annotations

import re

MOST = 32_767
"""Characters that Excel allows in a cell."""

_UNFIT = re.compile("[\ufffe\uffff\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f\x7f]")


def fitted(text: str) -> str:
    """Return a text as a cell can hold it: cut where it is too long, what has no place in XML replaced by the sign for that.

    Control characters stay: XlsxWriter escapes them in the texts of cells as Excel does.
    """
    text = _UNFIT.sub("\ufffd", text)
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def fitted_line(text: str) -> str:
    """Return a text as a link can show it, which is an attribute in XML: control characters have no place there."""
    return _CONTROLS.sub("\ufffd", fitted(text))
