"""The commands of `jdv`: where each one is, and the line that tells what it does.

Nothing is imported here, so that `jdv --help` answers at once; a test holds the lines to the docstrings of the commands.
"""

from __future__ import annotations

SUMMARY = "Check, compare and release the JDV CircuitBio, the French value set of LOINC codes for laboratory orders and results."


REPORTS = "reports"
"""The folder, in the current one, for reports that were asked for without a name."""


class Command:
    """A command: its name, the module and the function that do it, and the line that tells what it does.

    `alone`: its options that may stand without a value, and the value that they then have.
    """

    __slots__ = ("alone", "function", "module", "name", "told")

    def __init__(
        self, name: str, told: str, module: str = "", function: str = "", alone: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.told = told
        self.module = f"jdv_qa.cli.{module or name}"
        self.function = function or name
        self.alone = alone or {}

    def completed(self, words: list[str]) -> list[str]:
        """Return the words of a command line with the values of the options that stand without one."""
        return [
            f"{word}={self.alone[word]}"
            if word in self.alone and (place + 1 == len(words) or words[place + 1].startswith("-"))
            else word
            for place, word in enumerate(words)
        ]


class Group:
    """Commands of one name, such as `jdv loinc list`."""

    __slots__ = ("commands", "name", "told")

    def __init__(self, name: str, told: str, *commands: Command) -> None:
        self.name = name
        self.told = told
        self.commands = {command.name: command for command in commands}


_LISTED: tuple[Command | Group, ...] = (
    Command("info", "Show the version, the tabs and the indicators of a workbook."),
    Command("layout", "Show how each tab and column is understood, what is missing and what is unknown."),
    Command("check", "Check a workbook against the rules (see `jdv rules`).", alone={"--annotate": REPORTS}),
    Command("fix", "Correct what is certain in a copy of a workbook; everything else in it stays as it is."),
    Command("waive", "Accept one finding: write a waiver for it into the file of waivers."),
    Command("rules", "List the rules with their severity."),
    Command("rule", "Explain a rule: what it checks, why, how to mend, with right and faulty examples.", "rules"),
    Command(
        "diff",
        "Compare two versions by meaning: codes added, removed, assigned, replaced, and every field that changed.",
    ),
    Command("notes", "Write the release notes of a version, in French unless asked otherwise."),
    Command("export", "Write the tables as CSV with their datapackage.json, and as a clean Excel workbook."),
    Command(
        "cda",
        "Check the codes of laboratory reports: chapters, orders, results and their units, against a version of the value set.",
    ),
    Command(
        "release",
        "Release a draft: check it, complete its tabs 9 and 10, and publish it in every form, in one step.",
    ),
    Command(
        "releases",
        "List the versions of the register: date, LOINC release, figures, and how much changed since the one before.",
    ),
    Command("verify", "Recompute everything and name each file of the register that differs, is missing or is extra."),
    Command(
        "history",
        "Tell the life of a code: when it came in, what changed of it, which code it was given, when it went.",
    ),
    Command(
        "indicators",
        "Show the indicators of every version of the register, their trend, and how each is counted.",
    ),
    Command(
        "import-release",
        "Take old workbooks into the register: each is kept byte for byte, with its tables, and compared with the one before.",
        "import_release",
        "import_release",
    ),
    Command(
        "sample",
        "Copy the sample that ships: two successive editions, change requests, and a draft with instructive faults.",
    ),
    Group(
        "loinc",
        "Keep LOINC releases at hand: import them, look at a term, find terms by French or English words.",
        Command(
            "import",
            "Import a LOINC release into the store; or French labels into a release that is there "
            "(the latest, unless --version).",
            "loinc",
            "import_",
        ),
        Command("list", "List the LOINC releases of the store.", "loinc", "list_"),
        Command(
            "show",
            "Show a term: axes, French label, status, type, units, what replaces it, and the terms that differ by one axis.",
            "loinc",
        ),
        Command(
            "find",
            "Find terms by words of their names, synonyms, axes or code; accents, case and endings do not matter.",
            "loinc",
        ),
    ),
    Group(
        "triage",
        "Deal with change requests: the form to fill in, the review of a register.",
        Command(
            "review",
            "Review a register of change requests: for each a verdict, the change it means, and what that would bring.",
            "triage",
        ),
        Command(
            "form",
            "Write the register that applicants fill in, in French: lists to choose from, marks on what is missing, "
            "instructions.",
            "triage",
            "form_",
        ),
        Command(
            "apply",
            "Carry the accepted requests into a copy of the draft; nothing else in it changes.",
            "triage_apply",
        ),
        Command(
            "follow",
            "Tell which requests are in a release and which are not, judged by what the release says.",
            "triage_follow",
        ),
        Command(
            "record",
            "Add a decided register to the ledger, where `jdv triage review` finds requests that were made before.",
            "triage_follow",
        ),
    ),
)

COMMANDS: dict[str, Command | Group] = {listed.name: listed for listed in _LISTED}
"""The commands and groups of commands by name, in the order of the help."""
