"""Workbooks: layouts, reading, and the Edition that the rest of the tool works on. Only this room has heard of Excel."""
