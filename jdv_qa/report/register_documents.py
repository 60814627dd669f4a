"""The documents in JSON that a release keeps: its changes since the version before, and what the check found."""

from __future__ import annotations

from jdv_qa.publish.register import CHANGES
from jdv_qa.publish.release import ReleasePlan
from jdv_qa.report.changes_json import changes_json
from jdv_qa.report.findings_json import findings_json

CHECK = "check.json"


def release_documents(plan: ReleasePlan) -> dict[str, bytes]:
    """Return the documents of a planned release by their names; the first version has no changes, an import no check."""
    documents = {}
    if plan.comparison is not None:
        documents[CHANGES] = changes_json(plan.comparison).encode("utf-8")
    if plan.report is not None:
        documents[CHECK] = (findings_json(plan.report) + "\n").encode("utf-8")
    return documents
