"""Reviews to be told by the reports: the sample's register, and one whose texts are hostile to spreadsheets and pages."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from jdv_qa.language import current_language, use_language
from jdv_qa.sample import REQUESTS
from jdv_qa.triage.requests import read_requests
from jdv_qa.triage.review import Review, review
from tests.triage.registers import LOINC, reviewed, sample

HOSTILE = "</td><script>alert(1)</script><img src=http://127.0.0.1:9/x onerror=alert(2)>"


def sample_review(*, with_loinc: bool = True) -> Review:
    """The review of the sample's register against edition 1.0.0, in the language in use."""
    return _sample_review(with_loinc, current_language())


@lru_cache
def _sample_review(with_loinc: bool, language: str) -> Review:
    use_language(language)
    return review(read_requests(REQUESTS), sample(), loinc=LOINC if with_loinc else None)


@lru_cache
def hostile_review() -> Review:
    """A review of requests whose texts would be run as formulas or as markup."""
    rows = [
        {"kind": "Modification", "object": "Résultat", "code": "14682-9", "field": "Libellé d'édition", "value": f"=1+1 {HOSTILE}",
         "applicant": HOSTILE, "reason": f'">{HOSTILE}', "label": "=HYPERLINK(\"http://127.0.0.1:9\")"},
        {"number": "{{ 7*7 }}", "kind": HOSTILE, "object": HOSTILE, "code": HOSTILE, "label": HOSTILE, "chapter": HOSTILE},
        {"number": "../12", "kind": "Création", "object": "Résultat", "code": "2947-0", "label": HOSTILE, "order": HOSTILE},
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        return reviewed(rows, Path(folder))
