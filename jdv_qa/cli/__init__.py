"""The command line: one module a command; each parses, calls, prints and chooses the exit status."""
