"""The review of a register as one HTML page, to project at the meeting, search, filter and print without a network."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from jdv_qa.language import say
from jdv_qa.marking import changed_words
from jdv_qa.report.page import render_page
from jdv_qa.report.triage_lines import LEVELS, filled, gaps, level_name, triage_groups
from jdv_qa.report.triage_text import READING_ORDER, summary_sentence, verdict_name
from jdv_qa.triage.review import Review


def triage_html(review: Review) -> str:
    """Return the page. The same input gives the same text."""
    edition, register = review.edition, review.register
    version = edition.identity.version
    levels = Counter(item.priority.level for item in review.requests)
    applicants = Counter(item.request.applicant for item in review.requests)
    return render_page(
        "triage.html",
        ["page.css", "triage.css"],
        ["page.js", "triage.js"],
        changed_words=changed_words,
        title=filled("Demandes de changement, version {version}", "Change requests, version {version}", version=version)
        if version
        else say("Demandes de changement", "Change requests"),
        sentence=summary_sentence(review),
        review=review,
        main=edition.main.sheet,
        groups=triage_groups(review),
        places={item.request.row: place for place, item in enumerate(review.requests)},
        verdicts=[(verdict, verdict_name(verdict)) for verdict in READING_ORDER if review.summary[verdict]],
        levels=[(level, level_name(level), levels[level]) for level in LEVELS if levels[level]],
        applicants=[(name, number) for name, number in sorted(applicants.items()) if name],
        gaps=gaps(review),
        facts=[
            (say("Classeur", "Workbook"), PurePath(edition.source.path).name, edition.source.sha256),
            (say("Registre", "Register"), PurePath(register.path).name, register.sha256),
        ],
        loinc=review.loinc and (review.loinc.version or say("(version inconnue)", "(version unknown)")),
    )
