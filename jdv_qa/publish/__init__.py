"""What is published of a version: release notes, exports and the register of releases."""
