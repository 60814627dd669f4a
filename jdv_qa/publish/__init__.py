"""What is published of a version: release notes, indicators, exports and the register of releases."""
