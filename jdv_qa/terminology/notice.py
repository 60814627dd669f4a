"""The notice of LOINC's licence, for everything that jdv writes with LOINC content."""

LOINC_NOTICE = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright © Regenstrief Institute, Inc. "
    "and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the "
    "license at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief Institute, Inc."
)
"""The notice that LOINC's licence wants in the product and beside each download, in its own words."""


def is_of_notice(text: str) -> bool:
    """Tell whether a text is the notice, or one of the lines into which it was cut, or its title."""
    line = " ".join(text.split())
    return line == "Licence LOINC" or (len(line) > 20 and line in LOINC_NOTICE)
