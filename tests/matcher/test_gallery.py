"""The gallery against a brute-force model: random histories, filters, shards, threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fixtures.templates import person
from matcher.candidates import Candidate, CandidateList, ReferenceId
from matcher.codes import FINGERS, FingerPosition
from matcher.comparison import prepare, score_of
from matcher.errors import GalleryUnavailable, ShardUnavailable
from matcher.fusion import fuse
from matcher.gallery import Filter, Gallery, Sizes, Traits
from matcher.prepared_prints import encode
from matcher.references import PreparedTenprint, prepare_tenprint
from matcher.scoring import Score
from matcher.shard import Shard
from matcher.shortlist import Shortlist
from matcher.template import Template, Tenprint

INDEX, THUMB = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_THUMB
ANY = FingerPosition.UNKNOWN
THRESHOLD = Score(40.0)
PEOPLE = 7


@cache
def tenprint_of(number: int, capture: int = 0) -> Tenprint:
    """Two fingers of somebody who does not exist; every third person has but one."""
    fingers = (INDEX, THUMB) if number % 3 else (INDEX,)
    return person(11, number).tenprint(capture, fingers)


def reference(number: int) -> ReferenceId:
    """What the gallery calls a person."""
    return ReferenceId(f"person-{number}")


def gallery_of(people: int, *, shards: int = 1, sizes: Sizes | None = None, dead_least: int = 256) -> Gallery:
    """A gallery of so many people."""
    parts = [Shard(dead_least=dead_least) for _ in range(shards)]
    gallery = Gallery(shards=parts, sizes=sizes or Sizes())
    for number in range(people):
        gallery.add(reference(number), tenprint_of(number), sequence=number + 1)
    return gallery


def few(compared: int) -> Sizes:
    """Only so many references are compared exactly."""
    return Sizes(least=(compared,), share=(0.0,), deep_least=(0,), most=1.0)


def template_of(minutiae: int) -> Template:
    """A template without a field, of a few minutiae on a row."""
    place = np.arange(minutiae, dtype=np.int16) * 12
    zeros = np.zeros(minutiae, np.uint8)
    return Template(place, place, zeros.astype(np.float32), zeros + 1, zeros + 50, 400, 400)


def exhaustive(
    held: Mapping[ReferenceId, tuple[int, int]], probe: tuple[int, int]
) -> dict[ReferenceId, float]:
    """Every reference's score, from its template as it was added."""
    asked = {position: prepare(template) for position, template in tenprint_of(*probe).items()}
    scores: dict[ReferenceId, float] = {}
    for reference_id, print_of in held.items():
        stored = {position: prepare(template) for position, template in tenprint_of(*print_of).items()}
        shared = asked.keys() & stored.keys()
        scores[reference_id] = fuse({each: score_of(asked[each], stored[each]) for each in shared})
    return scores


def assert_same(answer: CandidateList, model: Mapping[ReferenceId, float]) -> None:
    """The answer holds the model's scores, in falling order."""
    scores = {candidate.reference_id: candidate.score for candidate in answer.candidates}
    assert scores.keys() == model.keys()
    assert all(scores[each] == pytest.approx(model[each], rel=1e-5, abs=1e-5) for each in scores)
    ranked = [candidate.score for candidate in answer.candidates]
    assert ranked == sorted(ranked, reverse=True)


class History(RuleBasedStateMachine):
    """Adds, replacements, removals and searches, with memory reclaimed every few removals."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = gallery_of(0, shards=2, dead_least=1)
        self.held: dict[ReferenceId, tuple[int, int]] = {}
        self.sequence = 0

    @rule(number=st.integers(0, PEOPLE - 1), capture=st.integers(0, 1))
    def add_or_replace(self, number: int, capture: int) -> None:
        """A new reference, or a new print of an old one."""
        self.sequence += 1
        self.gallery.add(reference(number), tenprint_of(number, capture), sequence=self.sequence)
        self.held[reference(number)] = (number, capture)

    @rule(numbers=st.sets(st.integers(0, PEOPLE - 1), max_size=3), capture=st.integers(0, 1))
    def add_or_replace_many(self, numbers: set[int], capture: int) -> None:
        """At once, by the bytes of their prepared prints."""
        self.sequence += 1
        encoded = [encode(prepare_tenprint(tenprint_of(number, capture))) for number in numbers]
        ids = [reference(number) for number in numbers]
        self.gallery.extend(ids, encoded, [Traits()] * len(ids), sequence=self.sequence)
        self.held |= {reference(number): (number, capture) for number in numbers}

    @rule(number=st.integers(0, PEOPLE))
    def remove(self, number: int) -> None:
        """Also somebody who was never there."""
        self.sequence += 1
        self.gallery.remove(reference(number), sequence=self.sequence)
        self.held.pop(reference(number), None)

    @rule()
    def restart(self) -> None:
        """A new gallery takes over what the old one wrote down; what the old one held stays as it is."""
        state = self.gallery.state()
        self.gallery = gallery_of(0, shards=2, dead_least=1)
        self.gallery.restore(state)

    @rule(number=st.integers(0, PEOPLE - 1), capture=st.integers(0, 2))
    def search(self, number: int, capture: int) -> None:
        """Everything is compared: the answer is the model's."""
        answer = self.gallery.search(tenprint_of(number, capture), limit=50, threshold=THRESHOLD)
        assert_same(answer, exhaustive(self.held, (number, capture)))
        assert answer.gallery_size == len(self.held)
        assert answer.as_of == self.sequence

    @invariant()
    def sizes_agree(self) -> None:
        """References and sequence."""
        assert len(self.gallery) == len(self.held)
        assert self.gallery.sequence == self.sequence


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=10,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@given(st.integers(0, PEOPLE - 1), st.floats(0.0, 90.0), st.floats(0.0, 90.0))
@settings(max_examples=15, deadline=None)
def test_raising_the_threshold_never_adds_a_suggestion(number: int, one: float, other: float) -> None:
    """And the candidates stay the same."""
    low, high = sorted((one, other))
    probe = tenprint_of(number, 1)
    few = WHOLE.search(probe, limit=9, threshold=Score(high))
    many = WHOLE.search(probe, limit=9, threshold=Score(low))
    assert few.suggestions == many.suggestions[: len(few.suggestions)]
    assert few.candidates == many.candidates


@given(st.integers(1, 4), st.integers(0, PEOPLE - 1), st.integers(1, PEOPLE))
@settings(max_examples=15, deadline=None)
def test_several_shards_return_what_one_does(shards: int, number: int, limit: int) -> None:
    """Scores, ranks, ties, sizes and sequence."""
    probe = tenprint_of(number, 1)
    one = WHOLE.search(probe, limit=limit, threshold=THRESHOLD)
    assert SPREAD[shards - 1].search(probe, limit=limit, threshold=THRESHOLD) == one


@given(st.integers(2, 3), st.integers(0, PEOPLE + 2), st.integers(1, 3), st.sampled_from([0.0, 20.0, 300.0]))
@settings(max_examples=15, deadline=None)
def test_several_shards_cut_their_lists_as_one_does(
    shards: int, number: int, first: int, sure: float
) -> None:
    """At the first look and the second, of known people and strangers; so also what no look reaches."""
    sizes = Sizes(least=(first,), share=(0.0,), deep_least=(0,), deep=(0.6,), most=1.0, sure=Score(sure))
    probe = tenprint_of(number, 1)
    answers = [
        gallery_of(PEOPLE, shards=parts, sizes=sizes).search(probe, limit=1, threshold=THRESHOLD)
        for parts in (1, shards)
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("fingers", "gallery_size", "looks"),
    [
        (1, 10_000, (200, 3_000)),
        (1, 1_000_000, (2_000, 12_000)),
        (2, 1_000_000, (500, 1_000)),
        (10, 1_000, (40, 40)),
    ],
)
def test_shares_of_a_large_gallery_are_compared(
    fingers: int, gallery_size: int, looks: tuple[int, int]
) -> None:
    """At least some thousand where one finger must do and nobody is sure: they cost a tenth of a second."""
    probe = prepare_tenprint({each: template_of(20) for each in FINGERS[:fingers]})
    assert Sizes(most=1.0).compared(probe, 20, gallery_size) == looks


def test_a_search_that_is_sure_of_nobody_looks_again() -> None:
    """Of a stranger all are compared, not the likest alone; of somebody known only those."""
    sizes = Sizes(least=(1,), share=(0.0,), deep=(1.0,), most=1.0)
    gallery, compared = gallery_of(PEOPLE, sizes=sizes), list[int]()
    shard = gallery._shards[0]
    original = shard.compare

    def counted(probe: PreparedTenprint, ids: Sequence[ReferenceId], *more: Any) -> tuple[Candidate, ...]:
        compared.append(len(ids))
        return original(probe, ids, *more)

    shard.compare = counted  # type: ignore[method-assign]
    stranger = tenprint_of(PEOPLE + 2, 1)
    answer = gallery.search(stranger, limit=1, threshold=THRESHOLD)
    assert compared == [1, PEOPLE - 1]
    assert answer.candidates == WHOLE.search(stranger, limit=1, threshold=THRESHOLD).candidates
    compared.clear()
    assert gallery.search(tenprint_of(4, 1), limit=1, threshold=THRESHOLD).suggestions
    assert compared == [1]


WHOLE = gallery_of(PEOPLE)
SPREAD = [gallery_of(PEOPLE, shards=shards) for shards in range(1, 5)]


def test_the_mate_is_first_and_the_only_suggestion() -> None:
    """With the scores of its fingers."""
    answer = WHOLE.search(tenprint_of(4, 1), limit=3, threshold=THRESHOLD)
    assert [each.reference_id for each in answer.suggestions] == [reference(4)]
    assert set(answer.candidates[0].fingers) == {INDEX, THUMB}
    assert len(answer.candidates) == 3
    assert answer.complete


def test_filters_hold_before_the_list_is_cut() -> None:
    """Only those within, none of those excluded; the size counts what was searched."""
    tight = gallery_of(PEOPLE, sizes=few(2))
    within = [reference(1), reference(2), reference(4), reference(5), ReferenceId("nobody")]
    answer = tight.search(
        tenprint_of(4, 1), limit=1, threshold=THRESHOLD, within=within, exclude=[reference(5)]
    )
    assert answer.candidates[0].reference_id == reference(4)
    assert answer.gallery_size == 3
    others = tight.search(tenprint_of(4, 1), limit=9, threshold=THRESHOLD, exclude=[reference(4)])
    assert reference(4) not in {each.reference_id for each in others.candidates}
    assert not tight.search(tenprint_of(4, 1), limit=9, threshold=THRESHOLD, within=()).candidates


def test_like_fingers_are_compared_with_like() -> None:
    """A left thumb is not sought among index fingers, unless somebody's position is unknown."""
    index = person(12, 1).capture(INDEX)
    again = person(12, 1).capture(INDEX, 1)
    gallery = Gallery()
    gallery.add(ReferenceId("index"), {INDEX: index})
    assert not gallery.search({THUMB: again}, limit=5, threshold=THRESHOLD).candidates
    assert gallery.search({ANY: again}, limit=5, threshold=THRESHOLD).suggestions
    gallery.add(ReferenceId("unknown"), {ANY: index})
    found = gallery.search({THUMB: again}, limit=5, threshold=THRESHOLD).suggestions
    assert [each.reference_id for each in found] == ["unknown"]


def test_a_plain_thumb_is_a_thumb() -> None:
    """Positions 11 and 12 are what a two-thumb image gives."""
    gallery = Gallery()
    gallery.add(ReferenceId("plain"), {FingerPosition.PLAIN_LEFT_THUMB: person(12, 1).capture(THUMB)})
    assert gallery.search({THUMB: person(12, 1).capture(THUMB, 1)}, limit=5, threshold=THRESHOLD).suggestions


@pytest.mark.parametrize("minutiae", [0, 1, 2, 255])
def test_templates_of_any_legal_size_pass(minutiae: int) -> None:
    """As reference and as probe, with the shortlist in use."""
    gallery = gallery_of(3, sizes=few(1))
    gallery.add(ReferenceId("odd"), {INDEX: template_of(minutiae)})
    answer = gallery.search({INDEX: template_of(minutiae)}, limit=1, threshold=THRESHOLD)
    assert all(np.isfinite(each.score) for each in answer.candidates)
    assert gallery.search(tenprint_of(2, 1), limit=1, threshold=THRESHOLD).candidates


def test_nothing_is_found_in_nothing() -> None:
    """An empty gallery, an empty probe, a reference without prints."""
    assert not Gallery().search(tenprint_of(1), limit=5, threshold=THRESHOLD).candidates
    assert not WHOLE.search({}, limit=5, threshold=THRESHOLD).candidates
    gallery = Gallery()
    gallery.add(ReferenceId("empty"), {})
    assert gallery.search(tenprint_of(1), limit=5, threshold=THRESHOLD).gallery_size == 1


def test_a_removed_reference_never_returns_even_from_a_shortlist() -> None:
    """Before its memory is reclaimed, and after."""
    gallery = gallery_of(40, sizes=few(5), dead_least=3)
    for number in range(0, 40, 4):
        gallery.remove(reference(number))
        answer = gallery.search(tenprint_of(number, 1), limit=5, threshold=THRESHOLD)
        assert reference(number) not in {each.reference_id for each in answer.candidates}
    kept = [number for number in range(40) if number % 4]
    answers = [gallery.search(tenprint_of(n, 1), limit=5, threshold=THRESHOLD) for n in kept]
    first = [answer.candidates[0].reference_id for answer in answers]
    assert first == [reference(number) for number in kept]


def test_what_was_added_is_found_while_others_search_and_change() -> None:
    """From several threads at once, across training and reclaiming."""
    gallery = gallery_of(10, sizes=few(5), dead_least=2)
    missed: list[int] = []

    def live(numbers: range) -> None:
        """Add, find at once, remove every second, miss it at once."""
        for number in numbers:
            gallery.add(reference(number), tenprint_of(number))
            found = gallery.search(tenprint_of(number, 1), limit=3, threshold=THRESHOLD)
            if reference(number) not in {each.reference_id for each in found.candidates}:
                missed.append(number)
            if number % 2:
                gallery.remove(reference(number))

    threads = [threading.Thread(target=live, args=(range(k, k + 8),)) for k in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not missed
    assert len(gallery) == 10 + 12


@pytest.mark.slow
def test_the_shortlist_keeps_the_mates_that_exact_comparison_accepts() -> None:
    """Among 800 fingers, at a tenth of the usual shortlist."""
    gallery = Gallery(sizes=few(20))
    for number in range(800):
        gallery.add(reference(number), {INDEX: person(13, number).capture(INDEX)})
    mates = range(0, 800, 10)
    probes = {number: person(13, number).capture(INDEX, 1) for number in mates}
    accepted = [
        number
        for number, probe in probes.items()
        if score_of(prepare(probe), prepare(person(13, number).capture(INDEX))) >= THRESHOLD
    ]
    answers = [gallery.search({INDEX: probes[n]}, limit=1, threshold=THRESHOLD) for n in accepted]
    found = [
        answer.candidates[0].reference_id == reference(number)
        for number, answer in zip(accepted, answers, strict=True)
    ]
    assert sum(found) >= 0.98 * len(accepted)


TWINS = {ReferenceId(f"twin-{k}"): tenprint_of(k % 3) for k in range(9)}


@given(st.integers(1, 4), st.integers(0, 2), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_shards_agree_on_ties(shards: int, number: int, limit: int, compared: int) -> None:
    """Three references each with the same prints, more than are compared or asked for."""
    galleries = gallery_of(0, sizes=few(compared)), gallery_of(0, shards=shards, sizes=few(compared))
    for gallery in galleries:
        for reference_id, tenprint in TWINS.items():
            gallery.add(reference_id, tenprint)
    one, several = (g.search(tenprint_of(number, 1), limit=limit, threshold=THRESHOLD) for g in galleries)
    assert one == several


def test_traits_narrow_a_search_before_the_list_is_cut() -> None:
    """Sex and year of birth let the unknown pass, category and gallery do not."""
    gallery = gallery_of(0, sizes=few(1))
    gallery.add(
        reference(1), tenprint_of(1), traits=Traits("F", 1990, "asylum", frozenset({"ALL", "BORDER"}))
    )
    gallery.add(reference(2), tenprint_of(2), traits=Traits("M", 2001, "crime", frozenset({"ALL"})))
    gallery.add(reference(4), tenprint_of(4))

    def searched(only: Filter) -> set[str]:
        answers = [
            gallery.search(tenprint_of(number, 1), limit=1, threshold=THRESHOLD, only=only)
            for number in (1, 2, 4)
        ]
        found = {each.reference_id for answer in answers for each in answer.suggestions}
        assert {answer.gallery_size for answer in answers} == {len(found)}
        return {each.removeprefix("person-") for each in found}

    assert searched(Filter()) == {"1", "2", "4"}
    assert searched(Filter(sex="F")) == {"1", "4"}
    assert searched(Filter(birth_years=(1985, 1995))) == {"1", "4"}
    assert searched(Filter(categories=frozenset({"crime", "none"}))) == {"2"}
    assert searched(Filter(galleries=frozenset({"BORDER"}))) == {"1"}
    assert searched(Filter(sex="M", galleries=frozenset({"ALL"}))) == {"2"}


class Unreachable(Shard):
    """A part of a gallery on a machine that does not answer searches."""

    def shortlist(self, *_: object) -> Shortlist:
        """No answer."""
        raise ShardUnavailable("it does not answer")


def test_an_unreachable_shard_never_looks_like_nothing_found() -> None:
    """The answer says that it is incomplete; without any shard there is no answer."""
    gallery = Gallery(shards=[Shard(), Unreachable()])
    for number in range(PEOPLE):
        gallery.add(reference(number), tenprint_of(number))
    answer = gallery.search(tenprint_of(1, 1), limit=3, threshold=THRESHOLD)
    assert not answer.complete
    assert 0 < answer.gallery_size < PEOPLE
    with pytest.raises(GalleryUnavailable):
        Gallery(shards=[Unreachable()]).search(tenprint_of(1), limit=3, threshold=THRESHOLD)


def test_an_exhaustive_search_misses_nothing() -> None:
    """However short the shortlist."""
    gallery = gallery_of(PEOPLE, sizes=few(1))
    answer = gallery.search(tenprint_of(4, 1), limit=PEOPLE, threshold=THRESHOLD, exhaustive=True)
    assert_same(answer, exhaustive({reference(n): (n, 0) for n in range(PEOPLE)}, (4, 1)))


def test_a_gallery_that_cannot_take_over_is_empty() -> None:
    """Nothing is half restored."""
    state = gallery_of(PEOPLE, shards=2).state()
    torn = dict(state[1][0])
    torn["prints/2/sketches"] = torn["prints/2/sketches"].astype(np.int16)
    gallery = gallery_of(3, shards=2)
    with pytest.raises(ValueError, match="int8"):
        gallery.restore([state[0], (torn, 4)])
    assert len(gallery) == gallery.sequence == 0


def test_memory_of_the_removed_is_reclaimed() -> None:
    """Prints, not numbers, of which a thousand take as much as one finger."""
    gallery = gallery_of(20, dead_least=3)
    full = gallery.nbytes
    for number in range(15):
        gallery.remove(reference(number))
    assert gallery.nbytes < 0.45 * full
    answer = gallery.search(tenprint_of(17, 1), limit=1, threshold=THRESHOLD)
    assert answer.candidates[0].reference_id == reference(17)
