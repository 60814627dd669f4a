"""What several changes amount to together: an order split in two, orders merged into one, results that change chapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeGuard

from jdv_qa.compare.entries import SEVERAL
from jdv_qa.compare.model import Change, Movement, Named, Recoding, code_place
from jdv_qa.workbook.edition import Edition

Pair = tuple[str, str]
"""Keys of an order and of a result, both followed through their recodings, so as the new edition has them."""


def order_movements(
    before: Mapping[Pair, object], after: Mapping[Pair, object], old: Callable[[str], str], new: Callable[[str], str]
) -> Iterator[Movement]:
    """Yield the splits, then the merges of orders.

    `before` and `after` are the pairs of the two editions; `old` and `new` give the label of an order by its key. An
    order is split when half of its results or more went to several orders; or to a new one made of them, the order
    keeping the others. A merge is the same seen from the other end.
    """
    flows = _flows(before, after)
    if not flows:
        return
    held, holds = _by_order(before), _by_order(after)
    yield from _gathered("split", flows, held, holds, old, new)
    back: dict[str, dict[str, set[str]]] = {}
    for source, targets in flows.items():
        for target, results in targets.items():
            back.setdefault(target, {})[source] = results
    yield from _gathered("merge", back, holds, held, new, old)


def _by_order(pairs: Iterable[Pair]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for order, result in pairs:
        found.setdefault(order, set()).add(result)
    return found


def _flows(before: Mapping[Pair, object], after: Mapping[Pair, object]) -> dict[str, dict[str, set[str]]]:
    """Return order left -> order joined -> the results that went from the one to the other."""
    joined: dict[str, list[str]] = {}
    for order, result in [pair for pair in after if pair not in before]:
        joined.setdefault(result, []).append(order)
    flows: dict[str, dict[str, set[str]]] = {}
    for order, result in [pair for pair in before if pair not in after]:
        for target in joined.get(result, ()):
            flows.setdefault(order, {}).setdefault(target, set()).add(result)
    return flows


def _gathered(
    kind: str,
    flows: Mapping[str, Mapping[str, set[str]]],
    held: Mapping[str, set[str]],
    holds: Mapping[str, set[str]],
    own: Callable[[str], str],
    others: Callable[[str], str],
) -> Iterator[Movement]:
    """Yield the orders of one edition that are several of the other; a merge is a split seen from the new edition."""
    for one in sorted(flows, key=code_place):
        stays = one in holds
        # Where the order stays, only an order of the other edition alone that is mostly made of it counts.
        parts = {
            other: results
            for other, results in flows[one].items()
            if not stays or (other not in held and 2 * len(results) >= len(holds[other]))
        }
        moved = set().union(*parts.values()) if parts else set()
        kept = held[one] & holds.get(one, set())
        if len(parts) + bool(kept) < 2 or 2 * len(moved | kept) < len(held[one]):
            continue
        names = [Named(one, own(one))]
        several = [Named(other, others(other)) for other in sorted(parts, key=code_place)]
        if kept:
            several.insert(0, Named(one, others(one)))
        results = tuple(sorted(moved, key=code_place))
        if kind == "split":
            yield Movement("split", tuple(names), tuple(several), results)
        else:
            yield Movement("merge", tuple(several), tuple(names), results)


def chapter_movements(
    changes: Iterable[Change], recodings: Iterable[Recoding], old: Edition, new: Edition
) -> Iterator[Movement]:
    """Yield the results, then the sub-chapters, that went from one chapter to another, together where they go together.

    What follows a chapter whose code gave way to another has not moved.
    """
    renamed = {(recoding.old_code, recoding.new_code) for recoding in recodings if recoding.part == "chapter"}
    together: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        moved = (change.part, change.field) in (("result", "chapter"), ("chapter", "code"))
        if moved and _is_code(change.old) and _is_code(change.new) and (change.old, change.new) not in renamed:
            together.setdefault((change.part, change.old, change.new), []).append(change.code)
    before, after = _chapter_labels(old), _chapter_labels(new)
    for part, source, target in sorted(
        together, key=lambda key: (key[0] != "result", code_place(key[1]), code_place(key[2]))
    ):
        codes = tuple(sorted(together[part, source, target], key=code_place))
        yield Movement(
            "chapter" if part == "result" else "subchapter",
            (Named(source, before.get(source, "")),),
            (Named(target, after.get(target, "")),),
            codes,
        )


def _is_code(text: str | None) -> TypeGuard[str]:
    """Tell whether a text is one code, not several that the rows of a code disagree on."""
    return bool(text) and SEVERAL not in str(text)


def _chapter_labels(edition: Edition) -> dict[str, str]:
    labels: dict[str, str] = {}
    for record in edition.records("chapters"):
        if record["code"] and record["label"]:
            labels.setdefault(record["code"], record["label"])
    return labels
