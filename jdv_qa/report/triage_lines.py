"""The requests of a review as flat lines, in words and grouped for a meeting: what the Excel and HTML reports have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from jdv_qa.checks.finding import Finding
from jdv_qa.compare.wording import typeset
from jdv_qa.language import count, current_language, french_spaces, say
from jdv_qa.report.changes_lines import chapter_labels, impact_name
from jdv_qa.report.rules_text import severity_word
from jdv_qa.report.triage_text import verdict_name
from jdv_qa.terminology.codes import is_pending
from jdv_qa.terminology.labels import fold
from jdv_qa.triage.edits import Edit, RowAdded, RowRemoved
from jdv_qa.triage.requests import CREATE, MODIFY, REFERENCE_OBJECTS, REMOVE, Request
from jdv_qa.triage.review import Review, Reviewed
from jdv_qa.triage.verdict import Verdict
from jdv_qa.workbook.edition import MAIN_FIELDS, Edition, column_letter
from jdv_qa.workbook.layout import load_layout

LEVELS = ("high", "normal", "low")
NO_CHAPTER, REFERENCE_TABS = "-", "tabs"
"""Stand for "no chapter" and for the reference tabs among the chapters."""

Action: TypeAlias = Literal["set", "add", "remove"]

_SEVERAL_CELLS, _MOST_SENTENCES = 4, 6
_TRIED: tuple[Verdict, ...] = ("to-correct", "conflicting", "acceptable")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that a request changes, with the address that it has in the workbook; `header` is that of its column there.

    `correction`: it is not what was asked but what would be right. The cells of rows to add have the row that they would get.
    """

    sheet: str
    address: str
    header: str
    before: str
    after: str
    action: Action
    correction: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One request, ready to be shown. `place` is its place in the register, from 0; texts are in the language in use.

    `subject` is its code, or what stands for it; `asked` says in one sentence what is asked; `changes` and `correction`
    have a sentence for each lot of cells; `said` what the check would newly say, `earlier` when it was asked for before.
    """

    place: int
    item: Reviewed
    chapter: str
    subchapter: str
    order: str
    kind: str
    subject: str
    label: str
    asked: str
    verdict: str
    reasons: tuple[str, ...]
    changes: tuple[str, ...]
    correction: tuple[str, ...]
    said: tuple[str, ...]
    earlier: tuple[str, ...]
    impact: str
    impact_reason: str
    priority: str
    cells: tuple[Cell, ...]

    @property
    def number(self) -> str:
        """The number of the request in its register."""
        return self.item.request.number


@dataclass(frozen=True, slots=True)
class Group:
    """The requests of a chapter, or of one of its sub-chapters, those to deal with first coming first."""

    key: str
    title: str
    lines: tuple[Line, ...]

    @property
    def sentence(self) -> str:
        """What the group holds: "12 demandes, dont 3 de priorité haute"."""
        total = count(len(self.lines), "demande", "request")
        high = sum(line.item.priority.level == "high" for line in self.lines)
        if not high:
            return total
        return f"{total}, " + say(f"dont {high} de priorité haute", f"{high} of high priority")


def filled(fr: str, en: str, **data: object) -> str:
    """Return the sentence in the language in use, its spaces those of print, filled with data that stays as it is."""
    return say(french_spaces(fr), en).format(**data)


def level_name(level: str) -> str:
    """Return the name of a priority in the language in use."""
    return {"high": say("haute", "high"), "normal": say("normale", "normal"), "low": say("basse", "low")}[level]


def kind_name(request: Request) -> str:
    """Return what sort of change of what a request asks for, in the words of the form where they are understood."""
    kinds = {
        CREATE: say("Création", "Creation"), MODIFY: say("Modification", "Modification"), REMOVE: say("Suppression", "Removal"),
    }  # fmt: skip
    names = (kinds.get(request.kind, request.kind_text), object_name(request.object) or request.object_text)
    return " · ".join(name for name in names if name)


def object_name(thing: str) -> str:
    """Return the name of what a request is about, "" where it does not say."""
    names = {
        "order": say("Demande", "Order"), "result": say("Résultat", "Result"), "nabm": say("Alignement NABM", "NABM alignment"),
        "code": say("Code LOINC", "LOINC code"), "chapters": say("Chapitre", "Chapter"),
        "clinical_info": say("Renseignement clinique", "Clinical information"), "sites": say("Localisation", "Site"),
        "specimens": say("Nature de prélèvement", "Specimen"), "lateralities": say("Latéralité", "Laterality"),
        "techniques": say("Technique", "Technique"),
    }  # fmt: skip
    return names.get(thing, "")


def triage_groups(review: Review) -> tuple[Group, ...]:
    """Return the requests by chapter and sub-chapter, in the order of their labels; within, by priority, order and place.

    Requests about the reference tabs and those of no known chapter come last.
    """
    maker = _Lines(review)
    lines = [maker.line(place, item) for place, item in enumerate(review.requests)]
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.chapter, line.subchapter), []).append(line)
    groups = []
    for chapter, subchapter in sorted(found, key=lambda key: (*_rank(key[0]), fold(maker.chapter_title(*key)), key)):
        own = sorted(found[chapter, subchapter], key=maker.urgency)
        groups.append(Group(chapter, maker.chapter_title(chapter, subchapter), tuple(own)))
    return tuple(groups)


def _rank(chapter: str) -> tuple[bool, bool]:
    return chapter == NO_CHAPTER, chapter == REFERENCE_TABS


def summary_tables(groups: Sequence[Group]) -> tuple[tuple[str, tuple[tuple[str, Counter[str]], ...]], ...]:
    """Return the tables of the summary: its title, then for each row its name and the number of requests by verdict."""
    lines = [line for group in groups for line in group.lines]
    levels = [(level_name(level), [line for line in lines if line.item.priority.level == level]) for level in LEVELS]
    applicants: dict[str, list[Line]] = {}
    for line in lines:
        applicants.setdefault(line.item.request.applicant or say("non précisé", "not stated"), []).append(line)
    by_number = sorted(applicants.items(), key=lambda pair: (-len(pair[1]), fold(pair[0]), pair[0]))
    tables: tuple[tuple[str, Iterable[tuple[str, Sequence[Line]]]], ...] = (
        (say("Par priorité", "By priority"), levels),
        (say("Par chapitre", "By chapter"), [(group.title, group.lines) for group in groups]),
        (say("Par demandeur", "By applicant"), by_number),
    )
    return tuple(
        (title, tuple((name, Counter(line.item.verdict for line in own)) for name, own in rows if own))
        for title, rows in tables
    )


def gaps(review: Review) -> tuple[str, ...]:
    """Return what was not judged, what the register lacks, and what the acceptable requests bring when made together."""
    told = []
    if review.loinc is None:
        told.append(
            filled(
                "Aucune version de LOINC n'a été donnée : ni l'existence des codes absents du classeur, ni leur statut, "
                "ni leurs axes n'ont été vérifiés (option --loinc)",
                "No LOINC release was given: whether the codes that the workbook lacks exist, their status and their "
                "axes were not checked (option --loinc)",
            )
        )
    told += review.register.remarks
    told += [
        filled(
            "Appliquées ensemble, les demandes recevables amènent de plus : {finding}",
            "Applied together, the acceptable requests also bring: {finding}",
            finding=finding_sentence(finding),
        )
        for finding in review.together
    ]
    return tuple(map(_sentence, told))


def finding_sentence(finding: Finding) -> str:
    """Return "erreur UNI-03 en T214 : …" in the language in use."""
    return f"{_finding_place(finding)}{_colon()}{finding.message}"


def _finding_place(finding: Finding) -> str:
    place = finding.cell or (say(f"ligne {finding.row}", f"row {finding.row}") if finding.row else "")
    where = f"{say(' en ', ' in ') if finding.cell else ', '}{place}" if place else ""
    return f"{_capital(severity_word(finding.severity))} {finding.rule}{where}"


def _sentence(text: str) -> str:
    return _capital(text) + ("" if text.endswith((".", "…", "?", "!")) else ".")


class _Lines:
    """Makes the lines of a review: what it needs to know of the workbook is looked up once."""

    def __init__(self, review: Review) -> None:
        self.edition: Edition = review.edition
        self.layout = load_layout()
        self._chapters = chapter_labels(review.edition, review.edition)
        self._by_label = {fold(label): code for code, label in self._chapters.items()}
        self._subchapters = {
            record["subcode"]: record["sublabel"] for record in review.edition.records("chapters") if record["subcode"]
        }
        self._rows = {record.row: record for record in review.edition.main.records}
        self._sheets = {key: table.sheet for key, table in review.edition.tables.items()}
        self._headers = {
            (key, column.field): " ".join(column.header.split())
            for key, table in review.edition.tables.items()
            for column in table.columns
            if column.field
        }

    # ------------------------------------------------------------------------------------------------------------ places

    def chapter_title(self, chapter: str, subchapter: str = "") -> str:
        """Return the name of a chapter, with that of the sub-chapter where it is another."""
        if chapter == NO_CHAPTER:
            return say("Sans chapitre", "No chapter")
        if chapter == REFERENCE_TABS:
            return say("Onglets de référence", "Reference tabs")
        name = self._chapters.get(chapter, chapter)
        below = self._subchapters.get(subchapter, subchapter)
        return f"{name} › {below}" if subchapter and below != name else name

    def urgency(self, line: Line) -> tuple[object, ...]:
        """Return the key by which the lines of a group are sorted."""
        return LEVELS.index(line.item.priority.level), not line.order, fold(line.order), line.order, line.place

    def _place_of(self, item: Reviewed) -> tuple[str, str, str]:
        """Return the chapter, the sub-chapter and the order's label of a request."""
        request = item.request
        if request.object in REFERENCE_OBJECTS:
            return REFERENCE_TABS, "", self._sheets.get(request.object, "")
        told = self._chapter_told(request.chapter)
        for values in self._concerned(item):
            chapter, subchapter = values.get("chapter", ""), values.get("subchapter", "")
            if not chapter or (self._chapters and chapter not in self._chapters):
                continue
            if request.kind == CREATE and told not in ("", chapter):
                continue
            return chapter, "" if subchapter == chapter else subchapter, values.get("order_label", "")
        order = self.edition.orders.get(request.order)
        return told or NO_CHAPTER, "", order["order_label"] if order else ""

    def _concerned(self, item: Reviewed) -> Iterator[Mapping[str, str]]:
        """Yield the rows that tell where a request belongs: those it adds, its code's, those it changes, its order's."""
        request, edit = item.request, item.edit
        yield from (row.whole for row in edit.added if row.tab == "main")
        for entities in (self.edition.results, self.edition.orders):
            if request.code in entities:
                yield entities[request.code].records[0].values
        yield from (self._rows[cell.row].values for cell in edit.cells if cell.tab == "main" and cell.row in self._rows)
        yield from (row.values for row in edit.removed if row.tab == "main")
        if request.order in self.edition.orders:
            yield self.edition.orders[request.order].records[0].values

    def _chapter_told(self, text: str) -> str:
        """Return the code of the chapter that a request names by its code or its label."""
        if not text:
            return ""
        first = text.split()[0]
        return next((code for code in (text, first) if code in self._chapters), "") or self._by_label.get(
            fold(text), ""
        )

    def _header(self, tab: str, field: str) -> str:
        return self._headers.get((tab, field)) or self.layout.header(tab, field)

    def _address(self, tab: str, row: int, field: str) -> str:
        """Return the address of a cell, its row alone where the tab has no such column."""
        table = self.edition.tables.get(tab)
        column = table.column_of.get(field) if table else None
        return f"{column_letter(column)}{row}" if column else say(f"ligne {row}", f"row {row}")

    # ------------------------------------------------------------------------------------------------------------- lines

    def line(self, place: int, item: Reviewed) -> Line:
        """Return the line of a request."""
        request = item.request
        chapter, subchapter, order = self._place_of(item)
        judged = item.impact
        reason = (typeset(judged.reason) if current_language() == "fr" else judged.reason) if judged else ""
        return Line(
            place, item, chapter, subchapter, order, kind_name(request), request.code or request.nabm, self._label(request),
            _sentence(self._asked(request)), verdict_name(item.verdict),
            tuple(f"{reason.rule} – {reason.message}" if reason.rule else _sentence(reason.message) for reason in item.reasons),
            tuple(self._change_sentences(item.edit)), tuple(self._change_sentences(item.correction)), tuple(self._said(item)),
            tuple(_sentence(past.sentence) for past in item.earlier),
            impact_name(judged.impact) if judged else "", reason, level_name(item.priority.level),
            (*self._cells(item.edit, correction=False), *self._cells(item.correction, correction=True)),
        )  # fmt: skip

    def _label(self, request: Request) -> str:
        """Return the label that a request gives, or else that of its code in the workbook."""
        if request.label or request.display or request.nabm_label:
            return request.label or request.display or request.nabm_label
        if request.code in self.edition.results:
            result = self.edition.results[request.code]
            return result["result_loinc_label"] or result["result_display"]
        if request.code in self.edition.orders:
            order = self.edition.orders[request.code]
            return order["order_loinc_label"] or order["order_label"]
        records = self.edition.records(request.object) if request.object in REFERENCE_OBJECTS else ()
        return next((record["label"] for record in records if request.code and record["code"] == request.code), "")

    def _said(self, item: Reviewed) -> Iterator[str]:
        """Yield what the check would newly say; what the reasons say already is only named."""
        told = {reason.message for reason in item.reasons}
        for finding in dict.fromkeys(item.findings):
            if finding.message in told:
                yield _finding_place(finding) + say(" (voir les motifs)", " (see the reasons)")
            else:
                yield finding_sentence(finding)
        if not item.findings and item.edit and item.verdict in _TRIED:
            yield say("Rien de nouveau", "Nothing new")

    # --------------------------------------------------------------------------------------------------- what is asked for

    def _asked(self, request: Request) -> str:
        """Return what a request asks for."""
        what = self._subject(request)
        if request.kind == CREATE:
            return self._creation(request, what)
        if request.kind == REMOVE:
            if request.object == "nabm":
                return say(f"retirer l'acte {request.nabm} de {what}", f"take act {request.nabm} from {what}")
            place = say(f" de la demande {request.order}", f" from order {request.order}") if request.order else ""
            return say(f"supprimer {what}", f"remove {what}") + place
        if request.kind == MODIFY:
            return self._modification(request, what)
        words = (request.kind_text, request.object_text, request.code or request.nabm, request.field, request.value)
        return " – ".join(word for word in words if word) or say("la demande ne dit rien", "the request says nothing")

    def _modification(self, request: Request, what: str) -> str:
        asked, header = request.asked, self._field(request) if request.target_field else ""
        if request.target_field in ("loinc_code", "order_code", "result_code") and asked:
            return filled("remplacer {what} par {asked}", "replace {what} by {asked}", what=what, asked=asked)
        if header and asked:
            return filled(
                "mettre « {header} » à « {asked} » pour {what}",
                'set "{header}" to "{asked}" for {what}',
                header=header,
                asked=asked,
                what=what,
            )
        if header:
            text = filled("modifier « {header} » pour {what}", 'change "{header}" for {what}', header=header, what=what)
        else:
            text = filled("modifier {what}", "change {what}", what=what)
        values = _semicolon().join(value for value in (asked or request.value, *self._details(request)) if value)
        return f"{text}{_colon()}{values}" if values else text

    def _field(self, request: Request) -> str:
        """Return the header of the field that a modification is about."""
        name = request.target_field
        if name in ("loinc_label", "loinc_code"):
            return say("Libellé LOINC", "LOINC label") if name == "loinc_label" else say("Code LOINC", "LOINC code")
        return self._header(request.object if request.object in REFERENCE_OBJECTS else "main", name)

    def _creation(self, request: Request, what: str) -> str:
        if request.object == "nabm":
            act = request.nabm or "?"
            text = filled("aligner l'acte {act} sur {what}", "align act {act} with {what}", act=act, what=what)
        elif _is_term(request):
            text = filled("créer dans LOINC {what}", "create {what} in LOINC", what=what)
        else:
            text = filled("ajouter {what}", "add {what}", what=what)
            if request.order:
                text += say(f" sous la demande {request.order}", f" under order {request.order}")
        return _semicolon().join((text, *self._details(request)))

    def _details(self, request: Request) -> list[str]:
        """Return the other values that a request gives."""
        chapter = self._chapter_told(request.chapter)
        texts = {
            say("unité", "unit"): request.unit,
            say("unité secondaire", "secondary unit"): request.unit_secondary,
            say("facteur", "factor"): request.conversion_factor,
            say("libellé d'édition", "display label"): request.display if request.label else "",
            say("comparabilité", "comparability"): request.comparability,
            say("technique discriminante", "discriminating technique"): request.technique,
            say("chapitre", "chapter"): self.chapter_title(chapter) if chapter else request.chapter,
            say("sous-chapitre", "sub-chapter"): request.subchapter,
            say("rang", "rank"): request.rank,
            say("prélèvement", "specimen"): request.specimen,
            say("type", "type"): request.order_type,
            say("acte NABM", "NABM act"): request.nabm if request.object != "nabm" else "",
        }
        return [f"{name} {text}" for name, text in texts.items() if text]

    def _subject(self, request: Request) -> str:
        """Return what a request is about, with its article."""
        names = {
            "order": say("la demande", "order"), "result": say("le résultat", "result"), "code": say("le code", "code"),
            "chapters": say("le chapitre", "chapter"), "specimens": say("la nature de prélèvement", "specimen"),
            "clinical_info": say("le renseignement clinique", "clinical information"), "sites": say("la localisation", "site"),
            "lateralities": say("la latéralité", "laterality"), "techniques": say("la technique", "technique"),
        }  # fmt: skip
        if request.object == "nabm":
            code = request.code or request.order
            return (
                say(f"la demande {code}", f"order {code}")
                if code
                else say("une demande non précisée", "an order not stated")
            )
        quoted = self._quoted(request)
        if _is_term(request):
            pending = say(f" (aujourd'hui {request.code})", f" (now {request.code})") if request.code else ""
            return f"{say('le terme', 'the term')} {quoted or say('sans libellé', 'without label')}{pending}"
        shown = request.code or quoted or say("(sans code ni libellé)", "(no code, no label)")
        if request.code and request.object in REFERENCE_OBJECTS and quoted:
            shown = f"{request.code} {quoted}"
        return f"{names.get(request.object, '')} {shown}".strip()

    def _quoted(self, request: Request) -> str:
        label = request.label or request.display
        return filled("« {label} »", '"{label}"', label=label) if label else ""

    # ----------------------------------------------------------------------------------------------------- what it changes

    def _change_sentences(self, edit: Edit) -> list[str]:
        """Return a sentence for each lot of cells that change alike, for each row to add, for the rows to remove."""
        alike: dict[tuple[str, str, str, str], list[int]] = {}
        for cell in edit.cells:
            key = cell.tab, cell.field, cell.before or "", cell.after or ""
            alike.setdefault(key, []).append(cell.row)
        blank = say("(vide)", "(blank)")
        told = []
        for (tab, field, before, after), rows in alike.items():
            places = [self._address(tab, row, field) for row in rows]
            name = f"{self._tab(tab)}{self._header(tab, field)}, {_few(places)}"
            told.append(f"{name}{_colon()}{self._shown(field, before) or blank} → {self._shown(field, after) or blank}")
        told += [self._added(row) for row in edit.added]
        told += self._removed(edit.removed)
        if len(told) > _MOST_SENTENCES:
            rest = len(told) - _MOST_SENTENCES + 1
            told[_MOST_SENTENCES - 1 :] = [say(f"… et {rest} autres changements", f"… and {rest} other changes")]
        return list(map(_capital, told))

    def _tab(self, tab: str) -> str:
        if tab == "main":
            return ""
        return filled("onglet « {name} », ", 'tab "{name}", ', name=self._sheets.get(tab, tab))

    def _shown(self, field: str, text: str) -> str:
        """Return a value with the label of the chapter that it is the code of."""
        label = {"chapter": self._chapters, "subchapter": self._subchapters}.get(field, {}).get(text, "")
        return f"{text} ({label})" if label else text

    def _added(self, row: RowAdded) -> str:
        place = say(f"ligne à ajouter sous la ligne {row.below}", f"row to add below row {row.below}")
        values = row.whole
        if row.tab != "main":
            shown = [" ".join(text for text in values.values() if text)]
        else:
            place += say(f" (demande {row.order})", f" (order {row.order})") if row.order else ""
            chapter = values.get("chapter", "")
            texts = {
                "": values.get("result_code") or values.get("order_code", ""),
                say("unité", "unit"): values.get("unit", ""),
                say("comparabilité", "comparability"): values.get("comparability", ""),
                say("technique", "technique"): values.get("discriminating_technique", ""),
                say("chapitre", "chapter"): self._chapters.get(chapter, chapter),
                say("rang", "rank"): values.get("rank", ""),
            }
            shown = [f"{name} {text}".strip() for name, text in texts.items() if text]
        return f"{self._tab(row.tab)}{place}{_colon()}{', '.join(shown)}"

    def _removed(self, rows: Sequence[RowRemoved]) -> Iterator[str]:
        for tab in dict.fromkeys(row.tab for row in rows):
            numbers = [str(row.row) for row in rows if row.tab == tab]
            name = say("ligne", "row") if len(numbers) == 1 else say("lignes", "rows")
            yield f"{self._tab(tab)}{name} {_few(numbers)} " + say("à supprimer", "to remove")

    def _cells(self, edit: Edit, *, correction: bool) -> Iterator[Cell]:
        """Yield the cells of an edit one by one, in the order of the JSON."""
        for change in edit.to_json():
            tab, field = change["tab"], change["field"]
            if field not in MAIN_FIELDS and tab == "main":
                continue
            yield Cell(
                self._sheets.get(tab, tab), self._address(tab, change["row"], field), self._header(tab, field),
                change["before"] or "", change["after"] or "", change["action"], correction,
            )  # fmt: skip


def _few(places: Sequence[str]) -> str:
    if len(places) <= _SEVERAL_CELLS:
        return ", ".join(places)
    return ", ".join(places[:_SEVERAL_CELLS]) + say(
        f" et {len(places) - _SEVERAL_CELLS} autres", f" and {len(places) - _SEVERAL_CELLS} more"
    )


def _colon() -> str:
    return say("\u00a0: ", ": ")


def _is_term(request: Request) -> bool:
    """Tell whether a request asks for a term that LOINC is to make."""
    return request.object == "code" and request.kind == CREATE and (not request.code or is_pending(request.code))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _semicolon() -> str:
    return say("\u202f; ", "; ")
