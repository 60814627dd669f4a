"""Which LOINC terms fit a free wording: what each says of it, axis by axis, and what it says besides.

A wording may be a LOINC name (long, short, French) or loose words, an axis left out. Every value of an axis can be said in
several ways: LOINC's own part ("SCnc"), the French ones (`rules/axes.yaml`, the French variant), the English ones, which are
learned from the names of the release ("[Moles/volume]"). A word counts the more the fewer terms have it. An axis that the
wording does not speak of costs a term next to nothing; one that it says by half, or a word that the term does not have, costs
the weight of those words. Words are compared without accents, plurals and the spellings in which French and
English differ ("hémoglobine", "hemoglobin"); other words of requests are in `rules/request_words.yaml`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import inf, log10
from typing import Any, NamedTuple

from jdv_qa.resources import rules_directory
from jdv_qa.terminology.labels import axis_wordings, fold
from jdv_qa.terminology.loinc import AXES, FRENCH_COLUMNS, TERM_COLUMNS, LoincRelease, ReadRelease, Term

_TOKEN = re.compile(r"[^\W_]+|[#%]")
_DURATION = re.compile(r"\b0*([0-9]+) ?(heures?|hours?|hrs?|h|jours?|days?|d|minutes?|min|mn)\b")
_HAS_DIGIT = re.compile("[0-9]")
_DURATION_UNITS = {"h": "h", "j": "d", "d": "d", "m": "m"}
_SCALES_OF_NAMES = (" Narrative", " Qualitative", " Nominal", " Quantitative")
_BEFORE_SYSTEM = (" in ", " of ", " on ", " from ")
_TIME_IN_SYSTEM = re.compile(r"^([0-9]+ hour|Unspecified time) ")
_SHORT_NAME = re.compile(r"(?P<component>.+) (?P<system>\S+?)-(?P<property>[A-Za-z.]+)")
_SPELLINGS = (
    ("oe", "e"), ("ae", "e"), ("ph", "f"), ("th", "t"), ("rh", "r"), ("k", "c"), ("ch", "c"), ("y", "i"), ("z", "s"),
)  # fmt: skip
_DOUBLED = re.compile(r"([a-z])\1")
_ENDINGS = re.compile(r"(?<=..)(?:iques?|ics?)$")

_FORMS_LEARNED = 4
_CERTAIN = 1_000_000
"""How many times more than any name the French variant of a release is believed."""
_SEEN = 0.08
"""Least share of a value's names in which a wording is met to be learned as one of its own."""
_SILENCE = {"component": 2.0, "property": 0.30, "time": 0.20, "system": 0.35, "scale": 0.05, "method": 0.25}
"""What it costs a term that the wording does not speak of an axis, in the weight of words (a rare one has 4 or 5)."""
_HALF_SAID = 0.8
"""What a word of the term that the wording lacks costs, to its weight."""
_COMPONENTS = 500
"""Components weighed at most for a wording; those that have its rarest words come first."""
_TERMS = 400
"""Terms weighed at least, where there are as many whose component says something of the wording."""
_MOST = 1500
"""Terms weighed at most: where more are as good, no ten candidates can be."""
_BEHIND = 1.5
"""Components that say so much less than the best are not looked at once there are enough terms."""
_ALIKE = 84.0
"""How alike (0 to 100, rapidfuzz) a word that no term has and one that some have must be to be taken for it."""
_ALMOST = 0.5
"""Values of an axis that the wording says so little less than the best are looked at too."""
_NEVER_SILENT = ("", "Pt")
_SYSTEM = AXES.index("system")


@dataclass(frozen=True, slots=True)
class Fit:
    """How a term fits a wording.

    `score` is higher the better; `missing` is the weight of the words of the wording that it does not say, listed in `unsaid`;
    `excess` that of what the term says besides on axes that the wording speaks of, listed in `said_more`; `open_axes` are
    those the wording is silent on. `same_analyte`: its component has a word in common with that of the best term, or the wording
    is silent on the component.
    """

    code: str
    score: float
    missing: float
    excess: float
    open_axes: tuple[str, ...]
    said_more: tuple[str, ...]
    unsaid: tuple[str, ...]
    same_analyte: bool

    @property
    def complete(self) -> bool:
        """The term says every word of the wording, and nothing besides but on axes that the wording leaves open."""
        return self.missing < _NOTHING and self.excess < _NOTHING


_NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class _Slot:
    """A word of a wording: as written, and the tokens of the index that say it."""

    word: str
    tokens: tuple[str, ...]


class _Weighed(NamedTuple):
    """A term against a wording: its score; the weight of what it says besides; the words it says, as bits.

    `component`: the words that its component says; `silent`, `more`: the axes that the wording is silent on or says by half.
    """

    score: float
    excess: float
    words: int
    component: int
    silent: tuple[str, ...]
    more: tuple[str, ...]


class WordingIndex:
    """The terms of a release that may be a laboratory's, by what can be said of their axes."""

    def __init__(
        self,
        release: LoincRelease | None,
        own: Iterable[Term] = (),
        aliases: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Read the terms of a release, if any, and others. `aliases`: other wordings of the component of a code."""
        self.codes: list[str] = []
        self._axes: dict[str, _AxisIndex] = {axis: _AxisIndex() for axis in AXES}
        rows: list[tuple[int, ...]] = []
        learned: dict[str, dict[int, Counter[str]]] = {axis: defaultdict(Counter) for axis in AXES}
        places: dict[str, int] = {}
        synonyms: dict[int, tuple[str, str]] = {}
        indexes = list(self._axes.values())
        heads: set[tuple[int, str]] = set()
        for row in chain(_rows(release) if release is not None else (), _rows_of(own)):
            if row.code in places:
                continue
            ids = tuple(index.add(part) for index, part in zip(indexes, row.axes, strict=True))
            places[row.code] = len(rows)
            self.codes.append(row.code)
            rows.append(ids)
            for wordings, number, text in zip(learned.values(), ids, row.french, strict=True):
                if text:
                    wordings[number][text] += _CERTAIN
            for name in _said_of(row):
                component, *others = name
                if component:
                    heads.add((ids[0], component))
                for axis, number, text in zip(AXES[1:], ids[1:], others, strict=True):
                    if text:
                        learned[axis][number][text] += 1
            if (row.synonyms or row.french_synonyms) and ids[0] not in synonyms:
                synonyms[ids[0]] = row.synonyms, row.french_synonyms
        self._rows = rows
        self._parts = [index.parts for index in indexes]
        self._places = places
        self._common = Counter(ids[_SYSTEM] for ids in rows)
        for axis, index in self._axes.items():
            sizes = Counter(ids[AXES.index(axis)] for ids in rows)
            for number, part in enumerate(index.parts):
                index.say(number, part)
                for text in axis_wordings().get(axis, {}).get(part, ()):
                    index.say(number, text)
                kept = 0
                for text, times in learned[axis][number].most_common():
                    seldom = kept == _FORMS_LEARNED or times < _SEEN * sizes[number] or part in _NEVER_SILENT
                    if times >= _CERTAIN or not seldom:
                        index.say(number, text)
                        kept += 1
        for number, head in sorted(heads):
            self._axes["component"].say(number, head)
        self._say_synonyms(synonyms)
        self._aliases: dict[int, list[tuple[str, ...]]] = {}
        self._alias_terms: dict[str, list[int]] = {}
        for code, text in aliases:
            if (place := places.get(code)) is not None and (tokens := tokens_of(text)):
                self._aliases.setdefault(place, []).append(tokens)
                for token in set(tokens):
                    self._alias_terms.setdefault(token, []).append(place)
        self._by_component: list[list[int]] = [[] for _ in self._axes["component"].parts]
        contexts: dict[tuple[int, ...], list[int]] = {}
        for place, ids in enumerate(rows):
            self._by_component[ids[0]].append(place)
            contexts.setdefault(ids[1:], []).append(place)
        self._contexts = contexts
        self._contexts_with: list[dict[int, list[tuple[int, ...]]]] = [defaultdict(list) for _ in AXES[1:]]
        for context in contexts:
            for lists, number in zip(self._contexts_with, context, strict=True):
                lists[number].append(context)
        for index in self._axes.values():
            index.close()
        self._weights = self._count()
        self._vocabulary = sorted(self._weights)

    def _say_synonyms(self, synonyms: Mapping[int, tuple[str, str]]) -> None:
        """Give components their synonyms, but for those that so many have that they speak of other axes."""
        phrases = {
            number: {phrase.strip() for text in texts for phrase in text.split(";")} - {""}
            for number, texts in synonyms.items()
        }
        common = Counter(chain.from_iterable(phrases.values()))
        most = max(8, len(phrases) // 200)
        for number, found in phrases.items():
            for phrase in sorted(found):
                if common[phrase] <= most:
                    self._axes["component"].say(number, phrase)

    def _count(self) -> dict[str, float]:
        """Return the weight of every token, by how many terms can say it."""
        frequencies: Counter[str] = Counter()
        for axis, index in self._axes.items():
            sizes = Counter(ids[AXES.index(axis)] for ids in self._rows)
            for token, numbers in index.numbers.items():
                frequencies[token] += sum(sizes[number] for number in numbers)
        for token, places in self._alias_terms.items():
            frequencies[token] = max(frequencies[token], len(set(places)))
        total = max(len(self._rows), 1)
        return {token: 0.5 + log10(max(total / max(count, 1), 1)) for token, count in frequencies.items()}

    def __contains__(self, code: str) -> bool:
        """Tell whether a code is in the index."""
        return code in self._places

    def commonness(self, code: str) -> int:
        """Return how many terms have the system of a code, 0 for a code that is not in the index."""
        place = self._places.get(code)
        return 0 if place is None else self._common[self._rows[place][_SYSTEM]]

    def fits(self, wording: str, limit: int = 60, properties: Collection[str] = ()) -> list[Fit]:
        """Return the terms that fit a wording, the best first, all those that fit as well as the best and `limit` at least.

        `properties`: those that the unit of the request allows; the others cost as much as a word that lacks.
        """
        slots = self._slots(wording)
        if not slots:
            return []
        query = _Query(slots, self._weights)
        axes = [index.weigh(query, self._weights, axis) for axis, index in self._axes.items()]
        found = {place: self._fit(place, axes, query, properties) for place in self._places_of(axes[0], query)}
        if not any(query.full(weighed.words) and weighed.excess < _NOTHING for weighed in found.values()):
            for place in self._places_by_context(axes, query):
                if place not in found:
                    found[place] = self._fit(place, axes, query, properties)
        ordered = sorted(found.items(), key=lambda item: (-item[1].score, self.codes[item[0]]))
        if len(ordered) > limit:
            least = ordered[0][1].score - sum(_SILENCE.values())
            ordered = [
                item for rank, item in enumerate(ordered) if rank < limit or (item[1].score >= least and rank < 400)
            ]
        analyte = ordered[0][1].component if ordered else 0
        whole = query.weight((1 << len(slots)) - 1)
        return [
            Fit(
                self.codes[place],
                round(weighed.score, 6),
                round(whole - query.weight(weighed.words), 6),
                round(weighed.excess, 6),
                weighed.silent,
                weighed.more,
                tuple(slot.word for number, slot in enumerate(slots) if not weighed.words >> number & 1),
                not analyte or bool(weighed.component & analyte),
            )
            for place, weighed in ordered
        ]

    def unknown(self, wording: str) -> tuple[str, ...]:
        """Return the words of a wording that no term says, folded, those apart that say nothing ("dosage")."""
        return tuple(dict.fromkeys(word for word, tokens in self._said(wording) if not tokens))

    def _slots(self, wording: str) -> list[_Slot]:
        """Return the words of a wording that terms can say, each with the tokens that say it."""
        slots: dict[str, _Slot] = {}
        for word, tokens in self._said(wording):
            if tokens:
                slots.setdefault(tokens[0], _Slot(word, tokens))
        return list(slots.values())

    def _said(self, wording: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the words of a wording with the tokens that say each, none where no term has it."""
        for word, choices in _reworded(wording):
            known = tuple(token for token in dict.fromkeys(choices) if token in self._weights)
            yield word, known or self._nearly(choices[0])

    @lru_cache(maxsize=4096)  # noqa: B019 (the index lives as long as the run)
    def _nearly(self, token: str) -> tuple[str, ...]:
        """Return the tokens that a word no term has begins, or else those spelled nearly like it."""
        if len(token) < 4 or not token.isalpha():
            return ()
        start = bisect_left(self._vocabulary, token)
        begun = [word for word in self._vocabulary[start : start + 40] if word.startswith(token)]
        if begun:
            return tuple(begun)
        from rapidfuzz import fuzz, process

        close = process.extract(token, self._vocabulary, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=4)
        return tuple(word for word, _, _ in close)

    def _places_of(self, components: Mapping[int, tuple[int, float]], query: _Query) -> list[int]:
        """Return the terms whose component, or an alias, says the most of a wording."""
        ranked = sorted(
            (_HALF_SAID * lacks - query.weight(mask), number) for number, (mask, lacks) in components.items()
        )
        places: dict[int, None] = {}
        for token in query.bits:
            if len(hits := self._alias_terms.get(token, ())) < _COMPONENTS:
                places |= dict.fromkeys(hits)
        for cost, number in ranked:
            if len(places) >= (_TERMS if cost > ranked[0][0] + _BEHIND else _MOST):
                break
            places |= dict.fromkeys(self._by_component[number])
        return list(places)

    def _places_by_context(self, axes: Sequence[Mapping[int, tuple[int, float]]], query: _Query) -> Iterator[int]:
        """Yield the terms whose other axes say the most of a wording, whatever their component."""
        weighed = []
        for context in self._contexts_said(axes, query):
            mask, excess = 0, 0.0
            for weights, number in zip(axes[1:], context, strict=True):
                if (hit := weights.get(number)) is not None:
                    mask |= hit[0]
                    excess += hit[1]
            if mask:
                weighed.append((query.weight(mask) - _HALF_SAID * excess, context))
        if not weighed:
            return
        best = max(weight for weight, _ in weighed)
        count = 0
        for weight, context in sorted(weighed, reverse=True):
            if weight < best - 1 or count > (_TERMS if weight < best else _MOST):
                return
            places = self._contexts[context]
            count += len(places)
            yield from places

    def _contexts_said(
        self, axes: Sequence[Mapping[int, tuple[int, float]]], query: _Query
    ) -> Iterable[tuple[int, ...]]:
        """Return the values of the axes but the component, taken together, that have what the wording says best.

        The two axes of which it says the most decide: one may be a word that was meant for another.
        """
        said = []
        for weights, contexts in zip(axes[1:], self._contexts_with, strict=True):
            nets = {number: query.weight(mask) - excess for number, (mask, excess) in weights.items()}
            if (most := max(nets.values(), default=0.0)) > 0:
                said.append((most, [contexts[number] for number, net in nets.items() if net > most - _ALMOST]))
        said.sort(key=lambda found: -found[0])
        return dict.fromkeys(context for _, lists in said[:2] for contexts in lists for context in contexts)

    def _fit(
        self, place: int, axes: Sequence[Mapping[int, tuple[int, float]]], query: _Query, properties: Collection[str]
    ) -> _Weighed:
        """Weigh a term against a wording."""
        ids = self._rows[place]
        mask, excess, cost = 0, 0.0, 0.0
        silent, more = [], []
        for axis, number, weights, parts in zip(AXES[1:], ids[1:], axes[1:], self._parts[1:], strict=True):
            hit = weights.get(number)
            if hit is not None:
                mask |= hit[0]
                if hit[1]:
                    excess += hit[1]
                    more.append(axis)
            elif parts[number] not in _NEVER_SILENT:
                silent.append(axis)
                cost += _SILENCE[axis]
        hits = [hit for hit in [axes[0].get(ids[0])] if hit is not None]
        if place in self._aliases:
            hits += query.weigh(self._aliases[place], self._weights)
        others = mask
        component = max(hits, key=lambda hit: query.weight(others | hit[0]) - _HALF_SAID * hit[1], default=(0, inf))
        gain = query.weight(others | component[0]) - query.weight(others) - _HALF_SAID * component[1]
        if gain < -_SILENCE["component"]:
            silent.insert(0, "component")
            cost += _SILENCE["component"]
            component = 0, inf
        else:
            mask |= component[0]
            if component[1]:
                excess += component[1]
                more.insert(0, "component")
        if properties and self._parts[1][ids[1]] not in properties:
            cost += 1
        score = query.weight(mask) - _HALF_SAID * excess - cost
        return _Weighed(score, excess, mask, component[0], tuple(silent), tuple(more))


class _AxisIndex:
    """The values of an axis and the ways each is said, as tokens."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.forms: list[list[tuple[str, ...]]] = []
        self.numbers: dict[str, list[int]] = {}
        self.short: dict[str, list[int]] = {}
        """Token -> the values that it says alone, or with one other."""
        self._place: dict[str, int] = {}

    def add(self, part: str) -> int:
        """Return the number of a value, a new one for a value not met before."""
        number = self._place.get(part)
        if number is None:
            number = self._place[part] = len(self.parts)
            self.parts.append(part)
            self.forms.append([])
        return number

    def say(self, number: int, text: str) -> None:
        """Add a way of saying a value."""
        tokens = tokens_of(text)
        if tokens and tokens not in self.forms[number]:
            self.forms[number].append(tokens)

    def close(self) -> None:
        """List the values that each token says, when all is said."""
        self._place.clear()
        for number, forms in enumerate(self.forms):
            for token in {token for form in forms for token in form}:
                self.numbers.setdefault(token, []).append(number)
            for token in {token for form in forms if len(form) <= 2 for token in form}:
                self.short.setdefault(token, []).append(number)

    def weigh(self, query: _Query, weights: Mapping[str, float], axis: str) -> dict[int, tuple[int, float]]:
        """Return the values of which the wording says more than it lacks: number -> the words said, the weight of what lacks.

        Of a component any word said counts: the wording speaks of it.
        """
        hits: dict[int, None] = {}
        for token in sorted(query.bits, key=lambda token: (len(self.numbers.get(token, ())), token)):
            numbers: Iterable[int] = self.numbers.get(token, ())
            if len(hits) + len(self.numbers.get(token, ())) > _COMPONENTS:
                numbers = self.short.get(token, ())
            hits |= dict.fromkeys(numbers)
        found = {}
        for number in hits:
            best = max(
                query.weigh(self.forms[number], weights), key=lambda hit: query.weight(hit[0]) - _HALF_SAID * hit[1]
            )
            if axis == "component" or query.weight(best[0]) > best[1]:
                found[number] = best
        return found


class _Query:
    """The words of a wording as bits, with the weight of every set of them."""

    def __init__(self, slots: Sequence[_Slot], weights: Mapping[str, float]) -> None:
        self.bits: dict[str, int] = {}
        for number, slot in enumerate(slots):
            for token in slot.tokens:
                self.bits[token] = self.bits.get(token, 0) | 1 << number
        self._each = [max(weights[token] for token in slot.tokens) for slot in slots]
        self._all = (1 << len(slots)) - 1
        self._known: dict[int, float] = {0: 0.0}

    def weight(self, mask: int) -> float:
        """Return the weight of a set of words."""
        found = self._known.get(mask)
        if found is None:
            found = self._known[mask] = sum(weight for bit, weight in enumerate(self._each) if mask >> bit & 1)
        return found

    def full(self, mask: int) -> bool:
        """Tell whether a set has all the words."""
        return mask == self._all

    def weigh(self, forms: Iterable[tuple[str, ...]], weights: Mapping[str, float]) -> Iterator[tuple[int, float]]:
        """Yield for each way of saying a value the words of the wording it has, and the weight of what it has besides."""
        bits = self.bits
        for form in forms:
            mask, excess = 0, 0.0
            for token in form:
                bit = bits.get(token)
                if bit is None:
                    excess += weights[token]
                else:
                    mask |= bit
            if mask:
                yield mask, excess


@dataclass(frozen=True, slots=True)
class _Row:
    """What the index needs of a term."""

    code: str
    axes: tuple[str, ...]
    name: str
    short_name: str
    synonyms: str
    french: tuple[str, ...]
    french_synonyms: str


_COLUMNS = list(TERM_COLUMNS)
_PLACE = {name: _COLUMNS.index(name) for name in ("code", *AXES, "name", "short_name", "synonyms", "classtype")}
_FRENCH = list(FRENCH_COLUMNS)
_FRENCH_AXES = slice(_FRENCH.index("french_component"), _FRENCH.index("french_method") + 1)
_NO_FRENCH = ("",) * len(FRENCH_COLUMNS)
_LABORATORY = ("1", "")


def _rows(release: LoincRelease) -> Iterator[_Row]:
    """Yield the laboratory terms of a release, in the order of its table."""
    from jdv_qa.terminology.store import StoredRelease

    found: Iterable[Sequence[Any]]
    if isinstance(release, StoredRelease):
        found = release.all_terms()
    elif isinstance(release, ReadRelease):
        found = ((*row, *release.french.get(code, _NO_FRENCH)) for code, row in release.rows.items())
    else:
        yield from _rows_of(release.terms.values())
        return
    yield from _as_rows(found)


def _rows_of(terms: Iterable[Term]) -> Iterator[_Row]:
    return _as_rows([getattr(term, name) for name in (*TERM_COLUMNS, *FRENCH_COLUMNS)] for term in terms)


def _as_rows(found: Iterable[Sequence[Any]]) -> Iterator[_Row]:
    """Yield the laboratory terms among rows of the table of a release."""
    code, name, short, synonyms = (_PLACE[key] for key in ("code", "name", "short_name", "synonyms"))
    axes, width, classtype = slice(_PLACE["component"], _PLACE["method"] + 1), len(_COLUMNS), _PLACE["classtype"]
    for row in found:
        if row[classtype] in _LABORATORY:
            french = row[width:]
            yield _Row(
                row[code],
                tuple(row[axes]),
                row[name],
                row[short],
                row[synonyms],
                tuple(french[_FRENCH_AXES]),
                french[-1],
            )


def _said_of(row: _Row) -> Iterator[tuple[str, ...]]:
    """Yield what the long and the short name of a term say of its axes, in their order, "" where they say nothing."""
    if row.name:
        yield name_parts(row.name)
    if row.short_name and (match := _SHORT_NAME.match(row.short_name)):
        yield match["component"], match["property"], "", match["system"], "", ""


def name_parts(name: str) -> tuple[str, ...]:
    """Take a long name apart: `component [property] in (time) system by method (scale) --challenge`."""
    text, _, challenge = name.removeprefix("Deprecated ").partition("--")
    text = text.rstrip()
    scale = next((word for word in _SCALES_OF_NAMES if text.endswith(word)), "")
    text = text.removesuffix(scale)
    component, bracket, rest = text.partition(" [")
    property_ = ""
    if bracket:
        property_, _, rest = rest.partition("]")
    else:
        place = min((found for word in _BEFORE_SYSTEM if (found := text.find(word)) > 0), default=len(text))
        component, rest = text[:place], text[place:]
    rest, _, method = rest.partition(" by ")
    place, marker = min(((found, word) for word in _BEFORE_SYSTEM if (found := rest.find(word)) >= 0), default=(-1, ""))
    component, system = f"{component}{rest[:place] if marker else rest}", rest[place + len(marker) :] if marker else ""
    time = ""
    if system and (match := _TIME_IN_SYSTEM.match(system)):
        time, system = match[1], system[match.end() :]
    return f"{component} {challenge}".strip(), property_, time, system, scale, method


@lru_cache(maxsize=65536)
def tokens_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared, without those that say nothing, each once."""
    ignored = _lexicon().ignored
    return tuple(
        dict.fromkeys(
            token for word in _words(text) if word not in ignored and (token := token_of(word)) not in ignored
        )
    )


def _words(text: str) -> list[str]:
    folded = _lexicon().same.sub(lambda match: _lexicon().said_by[match[0]], fold(text))
    return _TOKEN.findall(_DURATION.sub(_duration, folded) if _HAS_DIGIT.search(folded) else folded)


def _duration(match: re.Match[str]) -> str:
    return f"{match[1]}{_DURATION_UNITS[match[2][0]]}"


@lru_cache(maxsize=65536)
def token_of(word: str) -> str:
    """Return a folded word without its plural and the spellings in which French and English differ."""
    if len(word) < 4 or not word.isalpha():
        return word
    if len(word) > 5 and (found := _ENDINGS.search(word)):
        word = f"{word[: found.start()]}ic"
    if word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 4:
        word = word.removesuffix("e")
        for spelling, plain in _SPELLINGS:
            word = word.replace(spelling, plain)
    elif word.endswith("e"):
        word = word[:-1]
    return _DOUBLED.sub(r"\1", word)


@dataclass(frozen=True)
class _Lexicon:
    """`rules/request_words.yaml`: folded words, and expressions as a regular expression."""

    ignored: frozenset[str]
    same: re.Pattern[str]
    said_by: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]
    words: Mapping[str, str]
    expressions: re.Pattern[str]


@lru_cache
def _lexicon() -> _Lexicon:
    import yaml

    path = rules_directory() / "request_words.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    words = {fold(str(word)): str(said) for word, said in content["words"].items()}
    longest = sorted(words, key=lambda word: (-len(word), word))
    return _Lexicon(
        frozenset(str(word) for word in content["ignored"]),
        re.compile("|".join(map(re.escape, sorted(content["same"], key=len, reverse=True)))),
        {str(text): str(said) for text, said in content["same"].items()},
        tuple((re.compile(pattern), said) for pattern, said in content["patterns"].items()),
        words,
        re.compile(rf"\b(?:{'|'.join(map(re.escape, longest))})(?:s|es)?\b"),
    )


def _reworded(wording: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the words of a request and the tokens to look for in the place of each."""
    lexicon = _lexicon()
    text = _DURATION.sub(_duration, lexicon.same.sub(lambda match: lexicon.said_by[match[0]], fold(wording)))
    for pattern, said in lexicon.patterns:
        text = pattern.sub(said, text)
    end = 0
    for match in lexicon.expressions.finditer(text):
        yield from _plain(text[end : match.start()])
        end = match.end()
        said = lexicon.words.get(match[0]) or lexicon.words.get(match[0].removesuffix("s"), "")
        first, *others = (tuple(map(token_of, choice.split("|"))) for choice in said.split()) if said else ((),)
        own = (token_of(match[0]),) if _TOKEN.fullmatch(match[0]) and len(match[0]) > 2 else ()
        if first or own:
            yield match[0], (*first, *(own if not others else ()))
        for choices in others:
            yield match[0], choices
    yield from _plain(text[end:])


def _plain(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    ignored = _lexicon().ignored
    for word in _TOKEN.findall(text):
        token = token_of(word)
        if word not in ignored and token not in ignored:
            yield word, (token,)
