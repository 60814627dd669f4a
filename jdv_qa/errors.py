"""The exceptions whose message is meant for the person at the keyboard.

JdvError
├── Misuse           a command line that cannot be understood
├── WorkbookError    a workbook, or a folder of exported tables, that cannot be read
├── LayoutError      a layout file that is missing or wrong
├── RuleFileError    a rule, profile or schema file that is missing or wrong
├── TerminologyError a LOINC release or another reference file that cannot be read
├── DocumentError    a laboratory report (CDA) that cannot be read
├── RegisterError    a register of releases that is damaged, or lacks what is asked of it
│   └── ReleaseRefused   a version that must not enter the register
└── OutputError      something that cannot be written, or must not be overwritten

Each carries one line: what is wrong, where (file, tab, cell), what to do. The command line prints it on
stderr and exits with status 2; it never shows a traceback unless `--debug` asks for one.
"""


class JdvError(Exception):
    """Root of every error that is reported as one line."""


class Misuse(JdvError):
    """A command line that cannot be understood."""


class WorkbookError(JdvError):
    """A workbook that cannot be read."""


class LayoutError(JdvError):
    """A layout file that is missing or wrong."""


class RuleFileError(JdvError):
    """A file of `rules/` that is missing or wrong."""


class TerminologyError(JdvError):
    """A reference terminology file that cannot be read."""


class RegisterError(JdvError):
    """A register of releases that is damaged, or lacks what is asked of it."""


class ReleaseRefused(RegisterError):
    """A version that must not enter the register; commands answer it with status 1."""


class DocumentError(JdvError):
    """A laboratory report that cannot be read."""


class OutputError(JdvError):
    """A result that cannot be written, or that would overwrite something."""
