"""What the store knows of encounters that a search may be narrowed by: category and galleries.

Sex and year of birth lie sealed with the particulars; whoever may open those can pass them on in `Traits`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from enrollment.record_reader import batches
from enrollment.tables import encounter_galleries, encounters
from matcher.gallery import Traits


def traits_of(tx: Connection, encounter_ids: Collection[str]) -> Mapping[str, Traits]:
    """The traits of these encounters; those unknown are left out."""
    galleries: dict[str, set[str]] = defaultdict(set)
    categories: dict[str, str | None] = {}
    for batch in batches(encounter_ids):
        listed = select(encounter_galleries.c.encounter_id, encounter_galleries.c.gallery)
        for encounter_id, gallery in tx.execute(listed.where(encounter_galleries.c.encounter_id.in_(batch))):
            galleries[encounter_id].add(gallery)
        known = select(encounters.c.encounter_id, encounters.c.category)
        rows = tx.execute(known.where(encounters.c.encounter_id.in_(batch))).all()
        categories |= {row.encounter_id: row.category for row in rows}
    return {
        encounter_id: Traits(category=category, galleries=frozenset(galleries[encounter_id]))
        for encounter_id, category in categories.items()
    }
