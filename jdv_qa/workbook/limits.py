"""How large and how odd a workbook may be: each limit, and why it stands where it does.

All are judged on the bytes of the file itself, before python-calamine, lxml or openpyxl are given any of them: the first
ends the whole process on an address that no sheet has, and all of them take what memory a file asks for. With these limits a
workbook is read in less than 512 MiB whatever the file is; docs/robustness.md tells what may take more afterwards.
"""

from __future__ import annotations

MAX_FILE = 128 << 20
"""Bytes of the file: the value set takes one third of a MiB, its largest neighbours five."""

MAX_PARTS = 10_000
"""Parts in the file's archive: a workbook of three hundred tabs has about a thousand."""

MAX_PART = 160 << 20
"""Bytes of one part unpacked: a sheet of 60,000 rows and fifteen columns takes 55 MiB."""

MAX_UNPACKED = 256 << 20
"""Bytes of all the parts that are read, unpacked."""

MAX_LISTED = 100_000
"""Relationships of a part to others of the file, or sheets and names of the workbook, where they are looked at one by one."""

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
"""Rows and columns of a sheet in Excel: no cell is beyond."""

MAX_CELLS = 8_000_000
"""Cells in the box around the filled cells of a sheet, all of which the reader makes room for: one stray cell is enough."""

MAX_MERGED = 2_000_000
"""Cells under the merged ranges of a sheet, where ranges that overlap, as Excel allows none, count each time."""

MAX_TEXTS = 192 << 20
"""Bytes of the texts of all the cells: one text of the workbook's table may stand in any number of them."""

MAX_LONG_TEXTS = 8 << 20
"""Characters of a tab in cells of more than a thousand: two hundred and fifty cells as full as Excel allows."""

MAX_TEXT = 32_767
"""Characters of one cell in Excel."""


class Refused(ValueError):
    """A workbook beyond a limit, or of a form that no program writes. Says where (part or tab, cell) and what to do."""
