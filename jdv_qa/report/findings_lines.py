"""What every report of a check tells of it: the verdict, the state of each finding and rule, and what was checked with what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from jdv_qa import __version__
from jdv_qa.checks.catalogue import FAMILIES, Rule, rule_set_digest
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.waivers import Waiver, key_of
from jdv_qa.language import count, say
from jdv_qa.workbook.edition import ORDER_FIELDS
from jdv_qa.workbook.layout import Layout

SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)
"""From the gravest on."""
STATES = ("open", "new", "known", "waived")
"""What a finding is beside the waivers and the baseline; "open" where there is no baseline."""


def address(finding: Finding) -> str:
    """Return where a finding is, as Excel writes it: "1.JDV_CircuitBio!T214", a whole row as "…!214:214", a column as "…!T:T".

    The tab alone where the finding is about all of it, "" where it is about the workbook.
    """
    spot = finding.cell or ""
    if not spot and finding.row:
        spot = f"{finding.row}:{finding.row}"
    elif not spot and finding.column:
        spot = f"{finding.column}:{finding.column}"
    return "!".join(part for part in (finding.sheet, spot) if part)


def workbook_name(report: Report) -> str:
    """Return the name of the workbook, without its folder."""
    return PurePath(report.edition.source.path).name


def states(report: Report) -> list[str]:
    """Return the state of each finding of a report, in their order, among `STATES`."""
    known = {id(finding) for finding in report.news[1]}
    fresh = "open" if report.baseline is None else "new"
    return ["waived" if finding.waived else "known" if id(finding) in known else fresh for finding in report.findings]


def state_name(state: str) -> str:
    """Return the name of a state in the language in use."""
    names = {
        "open": ("ouvert", "open"), "new": ("nouveau", "new"), "known": ("déjà connu", "known"),
        "waived": ("dérogation", "waived"),
    }  # fmt: skip
    return say(*names[state])


def waiver_of(report: Report) -> dict[tuple[str, str, str, str], Waiver]:
    """Return the waivers by the key of the finding they cover."""
    return {(waiver.rule, waiver.row, waiver.field, waiver.value): waiver for waiver in report.waivers}


def waiver_sentence(waiver: Waiver) -> str:
    """Return who accepted a finding, when, until when, and why."""
    until = say(f", jusqu'à {waiver.until}", f", until {waiver.until}") if waiver.until else ""
    return say(
        f"{waiver.by}, le {waiver.date}{until}\u00a0: {waiver.reason}",
        f"{waiver.by}, {waiver.date}{until}: {waiver.reason}",
    )


def counted(numbers: dict[str, int] | Counter[str]) -> list[str]:
    """Return "24 erreurs", "9 avertissements", "8 informations" for numbers by severity, and the waivers if there are any."""
    words = [
        count(numbers["error"], "erreur", "error"),
        count(numbers["warning"], "avertissement", "warning"),
        count(numbers["info"], "information", "note"),
    ]
    if numbers.get("waived"):
        words.append(count(numbers["waived"], "dérogation", "waiver"))
    return words


def verdict(report: Report) -> tuple[str, str]:
    """Return the gravest thing to say of the workbook, among crashed, error, warning, info, clean, and its sentence.

    With a baseline it speaks of what is new.
    """
    news = report.news[0]
    numbers = Counter(finding.severity.value for finding in news)
    told = ", ".join(counted(numbers))
    fresh = report.baseline is not None
    if report.crashed:
        names = ", ".join(item.rule for item in report.crashed)
        return "crashed", say(
            f"Contrôle incomplet, des règles ont échoué ({names})\u00a0: {told}.",
            f"Incomplete check, rules broke down ({names}): {told}.",
        )
    if numbers["error"]:
        return "error", say(f"À corriger avant publication\u00a0: {told}.", f"To mend before release: {told}.")
    if numbers["warning"]:
        none = say("Aucune nouvelle erreur", "No new error") if fresh else say("Aucune erreur", "No error")
        return "warning", say(f"{none}, à corriger dès que possible\u00a0: {told}.", f"{none}; to mend soon: {told}.")
    if numbers["info"]:
        return "info", say(f"Ni erreur ni avertissement\u00a0: {told}.", f"Neither error nor warning: {told}.")
    return "clean", say("Rien de nouveau.", "Nothing new.") if fresh else say("Rien à signaler.", "Nothing to report.")


def baseline_sentence(report: Report) -> str:
    """Return what is new, known and gone since the baseline, "" without one."""
    if report.baseline is None:
        return ""
    baseline = report.baseline
    new, known, gone = report.news
    version = f" (version {baseline.version})" if baseline.version else ""
    return say(
        f"Depuis {baseline.path}{version}\u00a0: {count(len(new), 'constat nouveau', 'new finding', 'constats nouveaux')}, "
        f"{len(known)} déjà connus, {count(gone.total(), 'disparu', 'gone', None, 'gone')}.",
        f"Since {baseline.path}{version}: {count(len(new), 'constat nouveau', 'new finding')}, "
        f"{len(known)} known already, {gone.total()} gone.",
    )


class RuleOutcome(NamedTuple):
    """What became of a rule: clean, findings, skipped or crashed, why, and its findings by severity, waived ones apart."""

    rule: Rule
    status: str
    reason: str
    numbers: Counter[str]

    @property
    def total(self) -> int:
        """The findings that no waiver covers."""
        return sum(self.numbers[severity.value] for severity in SEVERITIES)

    @property
    def severity(self) -> Severity:
        """The gravest severity of its findings, the rule's own without any."""
        return next((severity for severity in SEVERITIES if self.numbers[severity.value]), self.rule.severity)


def outcomes(report: Report) -> list[RuleOutcome]:
    """Return what became of every rule, in the order of the catalogue."""
    numbers: dict[str, Counter[str]] = {}
    for finding in report.findings:
        numbers.setdefault(finding.rule, Counter())["waived" if finding.waived else finding.severity.value] += 1
    reasons = {item.rule: ("skipped", item.reason) for item in report.skipped}
    reasons |= {item.rule: ("crashed", item.reason) for item in report.crashed}
    found = []
    for rule in report.rules.values():
        mine = numbers.get(rule.id, Counter())
        status, reason = reasons.get(rule.id, ("findings" if mine else "clean", ""))
        found.append(RuleOutcome(rule, status, reason, mine))
    return found


def status_sentence(outcome: RuleOutcome) -> str:
    """Return what became of a rule in words."""
    if outcome.status == "skipped":
        return say(f"non contrôlée\u00a0: {outcome.reason}", f"not checked: {outcome.reason}")
    if outcome.status == "crashed":
        return say(f"en échec\u00a0: {outcome.reason}", f"broke down: {outcome.reason}")
    if outcome.status == "clean":
        return say("rien à signaler", "clean")
    if not outcome.total:
        return say("des dérogations seulement", "waived findings only")
    return say("des constats", "findings")


def by_gravity(found: Iterable[RuleOutcome]) -> list[RuleOutcome]:
    """Return the rules that have findings, waived ones included: the gravest first, then the order of the catalogue."""
    return sorted(
        (outcome for outcome in found if outcome.numbers),
        key=lambda outcome: (not outcome.total, -outcome.severity.rank),
    )


def families(found: Sequence[RuleOutcome]) -> list[tuple[str, str, Counter[str]]]:
    """Return the families that have findings: letters, name, and numbers by severity, waived ones under "waived"."""
    numbers: dict[str, Counter[str]] = {}
    for outcome in found:
        numbers.setdefault(outcome.rule.family, Counter()).update(outcome.numbers)
    return [(family, say(*FAMILIES[family]), numbers[family]) for family in FAMILIES if numbers.get(family)]


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what was checked and with what: names and values, for the head of a report."""
    edition, loinc = report.edition, report.loinc
    yield say("Classeur", "Workbook"), workbook_name(report)
    yield "SHA-256", edition.source.sha256
    yield "Version", edition.identity.version or say("inconnue", "unknown")
    yield say("Date", "Date"), edition.identity.date or say("inconnue", "unknown")
    yield say("Lignes", "Rows"), str(len(edition.leading.records))
    yield say("Profil", "Profile"), report.profile
    yield say("Règles appliquées", "Rules run"), str(len(report.run))
    yield say("Règles non contrôlées", "Rules not checked"), str(len(report.skipped))
    yield say("Règles en échec", "Rules that broke down"), str(len(report.crashed))
    yield say("Jeu de règles", "Rule set"), rule_set_digest()[:12]
    yield (
        say("Version de LOINC donnée", "LOINC release given"),
        (loinc.version or say("sans numéro", "without number")) if loinc else say("aucune", "none"),
    )
    yield (
        say("Version de LOINC du classeur", "LOINC release of the workbook"),
        edition.identity.loinc_version or say("non indiquée", "not stated"),
    )
    yield say("Outil", "Tool"), f"jdv {__version__}"


class FindingLine(NamedTuple):
    """A finding with all that a report shows beside it.

    `header` is the header of its column; `order` the key of the order it belongs to, or of its tab, and `order_title` what
    to call it; `label` the label of the result in a result field; `chapters` the codes of its chapter, none outside the main tab.
    """

    place: int
    finding: Finding
    address: str
    state: str
    header: str
    order: str
    order_title: str
    label: str
    chapters: tuple[str, ...]
    waiver: str


def finding_lines(report: Report, layout: Layout) -> list[FindingLine]:
    """Return the findings of a report in their order, each with what is told beside it."""
    edition = report.edition
    waivers = waiver_of(report)
    records = {record.row: record for record in edition.records("main")}
    orders, results = edition.orders, edition.results
    lines = []
    for place, (finding, state) in enumerate(zip(report.findings, states(report), strict=True)):
        record = records.get(finding.row) if finding.tab == "main" and finding.row else None
        order, title, label = f"\t{finding.sheet}", finding.sheet, ""
        if record is not None and (key := record["order_code"] or record["order_label"]):
            names = orders[key]
            words = (names.code, names["order_label"] or names["order_loinc_label"])
            order, title = key, " ".join(part for part in words if part)
            if finding.field not in ORDER_FIELDS and (result := results.get(record["result_code"])) is not None:
                label = result["result_display"] or result["result_loinc_label"]
        lines.append(
            FindingLine(
                place,
                finding,
                address(finding),
                state,
                layout.header(finding.tab, finding.field) if finding.field else "",
                order,
                title or say("Classeur", "Workbook"),
                label,
                (record["chapter"],) if record is not None and record["chapter"] else (),
                waiver_sentence(waivers[key_of(finding)]) if finding.waived else "",
            )
        )
    return lines
