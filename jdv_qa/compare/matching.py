"""Which removed code gave way to which added code: pending codes that were assigned, LOINC codes that were replaced.

Codes that both editions have are never looked at. Each of the others is held against the few of the other side that
share a word of a label, an order, a result or a MapTo entry with it; what the two share gives a confidence, and the best
assignment of all pairs, not the first come, says which belong together. What stays under the threshold, or is ambiguous,
remains a removal and an addition, said to resemble each other. Weights and thresholds are data: `rules/matching.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from jdv_qa.compare.assignment import best_assignment
from jdv_qa.compare.entries import Key
from jdv_qa.compare.model import Kind, Named, Part, Recoding, Resemblance, code_place
from jdv_qa.errors import RuleFileError
from jdv_qa.language import say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory
from jdv_qa.terminology.codes import has_loinc_form, is_pending
from jdv_qa.terminology.labels import AXES, fold, loinc_parts, parse_label
from jdv_qa.workbook.edition import Edition, Entity, split_values

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import LoincRelease

COMMON = 64
"""A word, or an order, that more added codes than this share says nothing of which of them is meant."""
FEW = 24
"""Added codes that a removed one is held against, those that share the rarest words first."""

_LIKELIEST = 3
"""Resemblances told of one removed code."""
_WORD = re.compile(r"\w+")
_SHORT = 4
_OTHER_WORD = 0.5
_AXIS = 0.75
_HARMONISED = 0.98

Weighted = Literal["order", "result"]
_WEIGHTS: dict[str, tuple[str, ...]] = {
    "order": ("loinc_label", "display", "place", "nabm", "specimen", "type"),
    "result": ("loinc_label", "display", "place", "rank", "chapter", "unit"),
}
_NUMBERS = ("assigned", "possible", "margin", "doubtful", "map_to")


class MatchingRules(NamedTuple):
    """The thresholds of `rules/matching.yaml`, explained there, and the weight of each piece of evidence by part."""

    assigned: float
    possible: float
    margin: float
    doubtful: float
    map_to: float
    weights: Mapping[str, Mapping[str, float]]


class Matches(NamedTuple):
    """The recodings, and the pairs that are not sure enough to be one."""

    recodings: tuple[Recoding, ...] = ()
    resemblances: tuple[Resemblance, ...] = ()


class EntryMatches(NamedTuple):
    """The recodings, old key -> new key and recoding, and the pairs that are not sure enough to be one."""

    recodings: Mapping[Key, tuple[Key, Recoding]]
    resemblances: tuple[Resemblance, ...] = ()


class _Words(NamedTuple):
    """The words of a text, folded, their stems, and how many characters they have in all."""

    words: tuple[str, ...] = ()
    stems: frozenset[str] = frozenset()
    size: int = 0


class _Traits(NamedTuple):
    """What is compared of an entry: texts folded, "" or empty where nothing is said; axes with the parts they stand for."""

    key: str
    code: str
    label: str
    axes: tuple[tuple[str, frozenset[str]], ...]
    component: str
    words: _Words
    display: str
    display_words: _Words
    place: frozenset[str]
    same: Mapping[str, frozenset[str]]


class _Likeness(NamedTuple):
    confidence: float
    evidence: tuple[str, ...]


@lru_cache(maxsize=8)
def load_matching(path: Path | None = None) -> MatchingRules:
    """Load the weights and thresholds, by default those that ship.

    Raises RuleFileError when the file is missing, unreadable, or holds something else than numbers from 0 to 1.
    """
    path = path or rules_directory() / "matching.yaml"
    try:
        content = read_yaml(path)
        weights = {part: {name: _share(content["weights"][part][name]) for name in _WEIGHTS[part]} for part in _WEIGHTS}
        if not all(sum(shares.values()) for shares in weights.values()):
            raise ValueError("weights")
        return MatchingRules(**{name: _share(content[name]) for name in _NUMBERS}, weights=weights)
    except (FileNotFoundError, UnreadableYaml, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise RuleFileError(
            say(f"{path} : fichier illisible ou incomplet ({reason})", f"{path}: unreadable or incomplete ({reason})")
        ) from None


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(value)
    return float(value)


def match_codes(
    old: Edition, new: Edition, loinc: LoincRelease | None = None, rules: MatchingRules | None = None
) -> Matches:
    """Return the recodings of orders, then of results, each in the order of the old edition, and what resembles.

    Results are matched second, their orders being followed through their own recodings. Codes are matched within orders
    or within results, never across. `loinc` brings the replacements that LOINC publishes (MapTo).
    """
    rules = rules or load_matching()
    kept = old.results.keys() & new.results.keys()
    orders = _match(
        "order",
        {key: _order_traits(key, order, kept) for key, order in _apart(old.orders, new.orders)},
        {key: _order_traits(key, order, kept) for key, order in _apart(new.orders, old.orders)},
        rules,
        loinc,
    )
    followed = {recoding.old_key or recoding.old_code: recoding.new_code for recoding in orders.recodings}
    results = _match(
        "result",
        {key: _result_traits(key, result, followed) for key, result in _apart(old.results, new.results)},
        {key: _result_traits(key, result, {}) for key, result in _apart(new.results, old.results)},
        rules,
        loinc,
    )
    return Matches(orders.recodings + results.recodings, orders.resemblances + results.resemblances)


def match_entries(
    part: Part,
    gone: Mapping[Key, Named],
    come: Mapping[Key, Named],
    loinc: LoincRelease | None = None,
    rules: MatchingRules | None = None,
) -> EntryMatches:
    """Match the entries that one side alone has of a reference tab or of a one-table form, both by their keys.

    An entry is known by its label, or by what LOINC gives in its place (`loinc`): nothing else is told of it. It must be
    the same label but for case and accents, and one entry alone on each side may have it. A LOINC code that took the
    place of a pending code, or of another LOINC code, is a recoding, as in the main tab: chapters, clinical information
    and terms have such codes. The codes of specimens, sites, lateralities and techniques mean what their own table says:
    when the techniques were revised in 2025, "9DX" and "ZDX" were one text and the ANS counts a code withdrawn and a code
    added; those, and whatever is ambiguous, remain a removal and an addition that resemble each other.
    """
    rules = rules or load_matching()
    by_label: dict[str, list[Key]] = {}
    by_code: dict[str, list[Key]] = {}
    for key, entry in come.items():
        if entry.code:
            by_label.setdefault(fold(entry.label), []).append(key)
            by_code.setdefault(entry.code, []).append(key)
    by_label.pop("", None)
    found: dict[Key, dict[Key, _Likeness]] = {}
    suitors: Counter[Key] = Counter()
    for key, entry in gone.items():
        if not entry.code:
            continue
        alike = by_label.get(fold(entry.label), ())
        if len(alike) > COMMON:
            alike = ()
        mapped = [target for code in sorted(_substitutes(entry.code, loinc)) for target in by_code.get(code, ())]
        for target in dict.fromkeys((*mapped, *alike)):
            evidence = tuple(word for word, said in (("label", target in alike), ("map-to", target in mapped)) if said)
            confidence = 1.0 if "label" in evidence else rules.map_to
            found.setdefault(key, {})[target] = _Likeness(confidence, evidence)
            suitors[target] += 1
    recodings: dict[Key, tuple[Key, Recoding]] = {}
    resemblances = []
    for key, likenesses in found.items():
        old = gone[key]
        best, likeness = next(iter(likenesses.items()))
        kind = recoding_kind(old.code, come[best].code)
        if kind and len(likenesses) == suitors[best] == 1:
            new_code = come[best].code
            recodings[key] = best, Recoding(part, old.code, new_code, kind, likeness.evidence, likeness.confidence)
            continue
        for target in sorted(likenesses, key=lambda target: code_place(come[target].code))[:_LIKELIEST]:
            share = likenesses[target].confidence / max(len(likenesses), suitors[target])
            if come[target].code != old.code:
                pair = Resemblance(part, old.code, come[target].code, round(share, 2), likenesses[target].evidence)
                resemblances.append(pair)
    return EntryMatches(recodings, tuple(resemblances))


def _apart(one: Mapping[str, Entity], other: Mapping[str, Entity]) -> Iterable[tuple[str, Entity]]:
    others = other.keys()
    return ((key, one[key]) for key in one if key not in others)


def recoding_kind(old_code: str, new_code: str) -> Kind | None:
    """Return what one code giving way to another is called.

    A LOINC code in the place of a pending code is `assigned`, in the place of another LOINC code `replaced`; an entry
    without code that is given a LOINC code is the same entry `modified`. Anything else is None: a pending code under
    another number, or a code that is no longer given, is a code gone for whoever used it.
    """
    if not has_loinc_form(new_code):
        return None
    if not old_code:
        return "modified"
    if is_pending(old_code):
        return "assigned"
    return "replaced" if has_loinc_form(old_code) else None


def _order_traits(key: str, order: Entity, kept: Iterable[str]) -> _Traits:
    """Results count by code where both editions have it, else by label: a result may be recoded with its order."""
    codes = ((record["result_code"], record["result_loinc_label"]) for record in order.records)
    place = frozenset(code if code in kept else fold(label) or code for code, label in codes)
    same = {
        "nabm": frozenset(code for code in split_values(order["nabm_code"]) if code),
        "specimen": _said(order["specimen"]),
        "type": _said(order["order_type"]),
    }
    return _traits(key, order, order["order_loinc_label"], order["order_label"], place - {""}, same)


def _result_traits(key: str, result: Entity, orders: Mapping[str, str]) -> _Traits:
    held = (record["order_code"] or record["order_label"] for record in result.records)
    place = frozenset(orders.get(order, order) for order in held if order)
    same = {name: _said(result[name]) for name in ("rank", "chapter", "unit")}
    return _traits(key, result, result["result_loinc_label"], result["result_display"], place, same)


def _said(text: str) -> frozenset[str]:
    return frozenset({text} if text else ())


def _traits(
    key: str, entity: Entity, label: str, display: str, place: frozenset[str], same: Mapping[str, frozenset[str]]
) -> _Traits:
    parsed = parse_label(label)
    axes = [(name, str(getattr(parsed, name))) for name in AXES] if parsed else []
    component = fold(parsed.component if parsed else label)
    shown = fold(display)
    return _Traits(
        key,
        entity.code,
        fold(label),
        tuple((fold(text), loinc_parts(name, text)) for name, text in axes),
        component,
        _words(component),
        shown,
        _words(shown),
        place,
        same,
    )


def _words(text: str) -> _Words:
    words = tuple(_WORD.findall(text))
    return _Words(words, frozenset(map(_stem, words)), sum(map(len, words)))


def _match(
    part: Weighted,
    gone: Mapping[str, _Traits],
    come: Mapping[str, _Traits],
    rules: MatchingRules,
    loinc: LoincRelease | None,
) -> Matches:
    """Match the entries of a part that one side alone has."""
    if not gone or not come:
        return Matches()
    successors = _successors(gone, loinc)
    column_of = {key: place for place, key in enumerate(come)}
    rows, columns = list(gone.values()), list(come.values())
    found: list[dict[int, _Likeness]] = []
    for before, keys in zip(rows, _candidates(rows, come, successors), strict=True):
        likenesses = {}
        for key in keys:
            likeness = _likeness(part, before, come[key], rules, come[key].code in successors.get(before.code, ()))
            if likeness.confidence >= rules.possible:
                likenesses[column_of[key]] = likeness
        found.append(likenesses)
    kinds = [
        {j: recoding_kind(row.code, columns[j].code) for j in likenesses}
        for row, likenesses in zip(rows, found, strict=True)
    ]
    # Cubed, so that one sure pair is worth more than two middling ones.
    weights = [{j: found[i][j].confidence ** 3 for j, kind in row.items() if kind} for i, row in enumerate(kinds)]
    suitors: dict[int, list[int]] = {}
    for i, row in enumerate(weights):
        for j in row:
            suitors.setdefault(j, []).append(i)
    recodings = []
    taken: set[int] = set()
    settled: set[int] = set()
    for i, j in best_assignment(weights).items():
        kind, likeness = kinds[i][j], found[i][j]
        rivals = [found[i][other].confidence for other in weights[i] if other != j]
        rivals += [found[row][j].confidence for row in suitors[j] if row != i]
        ambiguous = bool(rivals) and likeness.confidence - max(rivals) < rules.margin
        # An entry that only gains a code has nothing but its name: that must be the same.
        loose = kind == "modified" and "loinc-label" not in likeness.evidence
        if kind and likeness.confidence >= rules.assigned and not ambiguous and not loose:
            recodings.append(
                Recoding(
                    part,
                    rows[i].code,
                    columns[j].code,
                    kind,
                    likeness.evidence,
                    round(likeness.confidence, 2),
                    "" if rows[i].code else rows[i].key,
                )
            )
            settled.add(i)
            taken.add(j)
    resemblances = [
        Resemblance(part, row.code, columns[j].code, round(likeness.confidence, 2), likeness.evidence)
        for i, row in enumerate(rows)
        if i not in settled and row.code
        for j, likeness in _best_first(found[i], columns)
        if j not in taken and columns[j].code
    ]
    return Matches(tuple(recodings), tuple(resemblances))


def _best_first(likenesses: Mapping[int, _Likeness], columns: Sequence[_Traits]) -> list[tuple[int, _Likeness]]:
    """Return the three likeliest."""
    return sorted(likenesses.items(), key=lambda item: (-item[1].confidence, code_place(columns[item[0]].code)))[
        :_LIKELIEST
    ]


def _successors(gone: Mapping[str, _Traits], loinc: LoincRelease | None) -> dict[str, frozenset[str]]:
    """Return removed code -> the codes that LOINC gives in its place, chains followed."""
    if loinc is None:
        return {}
    return {traits.code: codes for traits in gone.values() if (codes := _substitutes(traits.code, loinc))}


def _substitutes(code: str, loinc: LoincRelease | None) -> frozenset[str]:
    """Return the codes that LOINC gives in the place of one, those on the way included."""
    if loinc is None:
        return frozenset()
    codes = {target for target, _ in loinc.replacements.get(code, ())}
    return frozenset(codes.union(candidate.code for candidate in loinc.candidates(code)))


def _candidates(
    rows: Iterable[_Traits], come: Mapping[str, _Traits], successors: Mapping[str, frozenset[str]]
) -> Iterable[list[str]]:
    """Yield, for each removed entry, the keys of the added ones worth a look: those that share something rare with it."""
    index: dict[tuple[str, str], list[str]] = {}
    for key, traits in come.items():
        for clue in _clues(traits):
            index.setdefault(clue, []).append(key)
    for traits in rows:
        shares: dict[str, float] = {}
        for clue in _clues(traits):
            keys = index.get(clue, ())
            if len(keys) <= COMMON:
                for key in keys:
                    shares[key] = shares.get(key, 0.0) + 1.0 / len(keys)
        chosen = sorted(shares, key=lambda key: (-shares[key], code_place(come[key].code)))[:FEW]
        yield list(
            dict.fromkeys([*(code for code in sorted(successors.get(traits.code, ())) if code in come), *chosen])
        )


def _clues(traits: _Traits) -> set[tuple[str, str]]:
    clues = {("place", place) for place in traits.place}
    clues.update(("word", word) for word in (*traits.words.words, *traits.display_words.words) if len(word) > 2)
    clues.add(("label", traits.label))
    # A rank is one place in the presentation.
    clues.update(("rank", rank) for rank in traits.same.get("rank", ()))
    return clues


def _likeness(part: Weighted, one: _Traits, other: _Traits, rules: MatchingRules, mapped: bool) -> _Likeness:
    """Return how surely two entries are one, from 0 to 1, and what says so."""
    weights = rules.weights[part]
    evidence = []
    apart = _axes_apart(one, other)
    label = _label_likeness(one, other, apart)
    if label == 1:
        evidence.append("loinc-label")
    elif label == _HARMONISED:
        evidence.append("loinc-label-reworded")
    elif label > _OTHER_WORD:
        evidence.append("loinc-label-like")
    total, share = weights["loinc_label"], weights["loinc_label"] * label
    display = 0.0
    if one.display or other.display:
        display = 1.0 if one.display == other.display else _words_likeness(one.display_words, other.display_words)
        total, share = total + weights["display"], share + weights["display"] * display
        name = "order-label" if part == "order" else "display"
        if display == 1:
            evidence.append(name)
        elif display > _OTHER_WORD:
            evidence.append(f"{name}-like")
    place = _overlap(one.place, other.place)
    if one.place or other.place:
        total, share = total + weights["place"], share + weights["place"] * place
    if part == "result":
        evidence += [f"order:{order}" for order in sorted(one.place & other.place, key=code_place)]
    elif place:
        evidence.append("results" if place == 1 else "results-shared")
    for name, said in one.same.items():
        others = other.same[name]
        if not (said or others) or (name == "type" and not (said and others)):
            continue
        likeness = _overlap(said, others)
        total, share = total + weights[name], share + weights[name] * likeness
        if likeness == 1:
            evidence.append(name)
    confidence = share / total if total else 0.0
    elsewhere = not place and (part == "result" or display < 1)
    if elsewhere or apart > 1:
        confidence = min(confidence, rules.doubtful)
    if mapped:
        evidence.append("map-to")
        confidence = 1 - (1 - confidence) * (1 - rules.map_to)
    return _Likeness(confidence, tuple(evidence))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _label_likeness(one: _Traits, other: _Traits, apart: int) -> float:
    """Return how alike two LOINC labels are; `apart`: the number of axes on which they do not mean the same."""
    if not one.label or not other.label:
        return 0.0
    if one.label == other.label:
        return 1.0
    if not one.axes or not other.axes:
        return 0.0 if one.axes or other.axes else _words_likeness(one.words, other.words)
    if not apart and one.component == other.component:
        return _HARMONISED
    return min(_words_likeness(one.words, other.words), _HARMONISED) * _AXIS**apart


def _axes_apart(one: _Traits, other: _Traits) -> int:
    """Return the number of axes, the component apart, on which two labels do not mean the same."""
    return sum(
        [
            text != other_text and parts.isdisjoint(other_parts)
            for (text, parts), (other_text, other_parts) in zip(one.axes, other.axes, strict=False)
        ]
    )


def _words_likeness(first: _Words, second: _Words) -> float:
    """Return how alike two texts are, word by word, in any order, from 0 to 1.

    A word that gave way to another, or one that tells neighbours apart (short, or with a digit: IgG, D3) and that one
    text alone has, leaves at most one half: "IgG" and "IgM" are spelled nearly alike and are two analytes.
    """
    if first.stems.isdisjoint(second.stems):
        return 0.0
    one, other = first.words, second.words
    left, right = list(one), list(other)
    for word in one:
        if word in right:
            left.remove(word)
            right.remove(word)
    same = first.size - sum(map(len, left))
    for word in list(left) if right else ():
        stem = _stem(word)
        if twin := next((candidate for candidate in right if _stem(candidate) == stem), None):
            same += min(len(word), len(twin))
            left.remove(word)
            right.remove(twin)
    likeness = 2 * same / (first.size + second.size)
    telling = any(len(word) <= _SHORT or not word.isalpha() for word in (*left, *right))
    return min(likeness, _OTHER_WORD) if (left and right) or telling else likeness


@lru_cache(maxsize=32768)
def _stem(word: str) -> str:
    """Return a word without the marks of its plural and gender.

    No other likeness of spelling is trusted: nitrate and nitrite, ethanol and methanol, loxapine and clozapine differ by
    a letter or two.
    """
    return word.rstrip("sx").removesuffix("e") if len(word) > _SHORT else word
