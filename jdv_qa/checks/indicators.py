"""The indicators of a version: how many orders and results it holds, by type, and how many wait for a LOINC code.

They are the lines of the tab "Indicateurs semestriels". Distinct codes are counted, so that an entry without code
counts for none.
"""

from __future__ import annotations

from collections import Counter

from jdv_qa.language import say
from jdv_qa.terminology.codes import is_pending
from jdv_qa.workbook.edition import Edition

INDICATORS: dict[str, tuple[str, str]] = {
    "orders": ("Codes LOINC demandes", "Order codes"),
    "orders_order": ("Demandes de type Order", "Orders of type Order"),
    "orders_both": ("Demandes de type Both", "Orders of type Both"),
    "orders_observation": ("Demandes de type Observation", "Orders of type Observation"),
    "orders_pending": ("Demandes en attente de code LOINC", "Orders awaiting a LOINC code"),
    "results": ("Codes LOINC résultats", "Result codes"),
    "results_loinc": ("Codes résultats différents", "Distinct LOINC result codes"),
    "results_pending": ("Résultats en attente de code LOINC", "Results awaiting a LOINC code"),
}
"""Indicator -> its label in French, as the tab has it, and in English."""

COUNTED: dict[str, tuple[str, str]] = {
    "orders": (
        "codes différents de la colonne « Code LOINC demande », codes en attente compris",
        "distinct codes of the column « Code LOINC demande », pending codes included",
    ),
    "orders_order": (
        "codes LOINC de demande dont la première ligne porte le type Order",
        "LOINC order codes whose first row has the type Order",
    ),
    "orders_both": (
        "codes LOINC de demande dont la première ligne porte le type Both",
        "LOINC order codes whose first row has the type Both",
    ),
    "orders_observation": (
        "codes LOINC de demande dont la première ligne porte le type Observation",
        "LOINC order codes whose first row has the type Observation",
    ),
    "orders_pending": (
        "codes en attente (sans tiret) différents parmi les demandes, quel que soit leur type",
        "distinct pending codes (without a dash) among the orders, whatever their type",
    ),
    "results": (
        "codes différents de la colonne « Code LOINC résultat », codes en attente compris",
        "distinct codes of the column « Code LOINC résultat », pending codes included",
    ),
    "results_loinc": (
        "codes de résultat différents, sans les codes en attente",
        "distinct result codes, pending ones left out",
    ),
    "results_pending": (
        "codes en attente différents parmi les résultats",
        "distinct pending codes among the results",
    ),
}
"""Indicator -> how it is counted, in French and in English."""


def indicators(edition: Edition) -> dict[str, int]:
    """Return the figures of an edition by indicator, in the order of the tab.

    The type of an order is that of its first row; a pending order counts as pending whatever its type cell says, and an
    order of no known type counts in the total alone. An edition in one-table form has no indicator.
    """
    if "main" not in edition.tables:
        return {}
    orders = [order for order in edition.orders.values() if order.code]
    types = Counter("pending" if is_pending(order.code) else order["order_type"].casefold() for order in orders)
    results = [code for rows in edition.results.rows.values() if (code := rows[0]["result_code"])]
    pending = sum(map(is_pending, results))
    return {
        "orders": len(orders),
        "orders_order": types["order"],
        "orders_both": types["both"],
        "orders_observation": types["observation"],
        "orders_pending": types["pending"],
        "results": len(results),
        "results_loinc": len(results) - pending,
        "results_pending": pending,
    }


def indicator_label(name: str) -> str:
    """Return the label of an indicator in the language in use."""
    return say(*INDICATORS[name])


def how_counted(name: str) -> str:
    """Return how an indicator is counted, in the language in use."""
    return say(*COUNTED[name])
