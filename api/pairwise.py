"""Two people's prints against each other, without a store: the same code that searches a gallery of one."""

from __future__ import annotations

from matcher.candidates import Candidate
from matcher.gallery import Gallery, ReferenceId
from matcher.scoring import Score
from matcher.template import Tenprint


def compare_tenprints(probe: Tenprint, reference: Tenprint, threshold: Score) -> Candidate | None:
    """The fused comparison and each finger's score; None when no finger can be compared with any."""
    gallery = Gallery()
    gallery.add(ReferenceId("reference"), reference)
    found = gallery.search(probe, limit=1, threshold=threshold)
    return next((candidate for candidate in found.candidates if candidate.fingers), None)
