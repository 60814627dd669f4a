"""Small laboratory reports for tests."""

from __future__ import annotations

from collections.abc import Iterable

LOINC = "2.16.840.1.113883.6.1"
PENDING = "1.2.250.1.213.1.1.5.130"
SODIUM = "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"


def quantity(value: str, unit: str) -> str:
    return f'<value xsi:type="PQ" value="{value}"' + (f' unit="{unit}"/>' if unit else "/>")


def code_of(code: str, display: str = "", system: str = LOINC, inner: str = "") -> str:
    shown = f' displayName="{display}"' if display else ""
    return f'<code code="{code}"{shown} codeSystem="{system}">{inner}</code>'


def observation(
    value: str,
    extra: str = "",
    *,
    code: str = "",
    display: str = SODIUM,
    templates: Iterable[str] = ("1.3.6.1.4.1.19376.1.3.1.6",),
) -> str:
    marks = "".join(f'<templateId root="{oid}"/>' for oid in templates)
    given = code or code_of("2951-2", display)
    return f'<observation classCode="OBS" moodCode="EVN">{marks}\n{given}\n{value}\n{extra}</observation>'


def chapter(*members: str, code: str = "18719-5", display: str = "Biochimie") -> str:
    relations = "".join(f'<entryRelationship typeCode="COMP">{member}</entryRelationship>\n' for member in members)
    given = code_of(code, display)
    return (
        f'<component><section><templateId root="1.3.6.1.4.1.19376.1.3.3.2.1"/>\n{given}<text/>'
        f'<entry typeCode="DRIV"><templateId root="1.3.6.1.4.1.19376.1.3.1"/><act classCode="ACT" moodCode="EVN">{given}\n'
        f"{relations}</act></entry></section></component>"
    )


def report(body: str, header: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        f'<code code="11502-2" codeSystem="{LOINC}"/><title>Compte rendu</title>\n{header}\n'
        f"<component><structuredBody>{body}</structuredBody></component></ClinicalDocument>\n"
    )
