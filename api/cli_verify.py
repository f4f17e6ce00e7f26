"""`tenprint verify`: are these two prints of the same finger? No store is needed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from api.captures import acquire
from api.cli_common import AsJson, Ppi, out, print_json
from api.cli_images import ImageFile
from api.engine import Engine, open_engine
from api.exit_codes import INPUT_REFUSED
from api.settings import load_settings
from enrollment.capture import FailureToAcquire, Finger
from matcher.comparison import compare, prepare
from matcher.explanation import explain
from matcher.growth import compare_grown, enlarged
from matcher.scoring import Score, fmr_of

app = typer.Typer()
#: Circumstances told, of all that `--why --json` names.
_TOLD = 3


@app.command()
def verify(
    probe: Annotated[Path, typer.Argument(metavar="A", help="One image file.")],
    reference: Annotated[Path, typer.Argument(metavar="B", help="The other image file.")],
    ppi: Ppi = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, help="Score from which it is a match. Default: 40.")
    ] = None,
    *,
    as_json: AsJson = False,
    why: Annotated[
        bool,
        typer.Option("--why", help="Also tell pairs, motion, common region, interval and evidence."),
    ] = False,
    grown: Annotated[
        bool, typer.Option("--grown", help="A is an earlier print of a child: try its growth as well.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 when the prints do not match.")
    ] = False,
) -> None:
    """Compare two images of single fingers and say whether they match.

    Try:
        tenprint verify a.png b.png --ppi 500 --json

    The score is −10·log10(FMR): at the default threshold of 40 one comparison of different fingers in 10,000
    matches. An image without a usable print gives the decision `failure_to_acquire` and exit code 1.

    --grown enlarges A by up to 47 % and takes the best of six sizes; the score pays 7.8 for the choice.
    """
    settings = load_settings(verification_threshold=threshold)
    with open_engine(settings) as engine:
        first, second = (_finger(engine, path, ppi) for path in (probe, reference))
    answer = _answer(first, second, Score(settings.verification_threshold), grown=grown)
    if why and isinstance(first, Finger) and isinstance(second, Finger):
        seen = enlarged(first.template, answer.get("growth", 1.0))
        answer["why"] = asdict(explain(seen, second.template))
    answer |= {"probe": _facts(probe, first), "reference": _facts(reference, second)}
    if as_json:
        print_json(answer)
    else:
        _tell(answer)
    refused = answer["decision"] == "failure_to_acquire"
    if refused or (exit_code and answer["decision"] != "match"):
        sys.exit(INPUT_REFUSED)


def _finger(engine: Engine, path: Path, ppi: int | None) -> Finger | FailureToAcquire:
    upload = ImageFile(path, person="", ppi=ppi).upload(engine.settings.max_image_bytes)
    return acquire(engine, [upload])[0].outcome


def _answer(
    probe: Finger | FailureToAcquire,
    reference: Finger | FailureToAcquire,
    threshold: Score,
    *,
    grown: bool,
) -> dict[str, Any]:
    answer = {"threshold": float(threshold), "fmr": float(fmr_of(threshold))}
    if isinstance(probe, FailureToAcquire) or isinstance(reference, FailureToAcquire):
        return {"score": None, "decision": "failure_to_acquire", **answer}
    if grown:
        found = compare_grown(probe.template, reference.template)
        comparison, score = found.comparison, found.score
        answer["growth"] = found.growth
    else:
        comparison = compare(prepare(probe.template), prepare(reference.template))
        score = comparison.score
    return {
        "score": round(float(score), 3),
        "decision": "match" if score >= threshold else "no_match",
        **answer,
        "pairs": len(comparison.pairs),
    }


def _facts(path: Path, outcome: Finger | FailureToAcquire) -> dict[str, Any]:
    if isinstance(outcome, FailureToAcquire):
        return {"image": str(path), "failure": outcome.reason.value, "advice": outcome.advice}
    return {
        "image": str(path),
        "quality": outcome.quality.value,
        "minutiae": len(outcome.template.x),
    }


def _tell(answer: dict[str, Any]) -> None:
    for side in ("probe", "reference"):
        if "failure" in answer[side]:
            out.print(
                f"{answer[side]['image']}: {answer[side]['failure']}. {answer[side]['advice']}", markup=False
            )
    if answer["score"] is None:
        return
    words = "match" if answer["decision"] == "match" else "no match"
    out.print(
        f"{words}: score {answer['score']:.1f}, threshold {answer['threshold']:.1f} "
        f"(false match rate {answer['fmr']:.1e}), {answer['pairs']} minutiae paired",
        markup=False,
    )
    if "growth" in answer:
        out.print(f"  A enlarged {answer['growth']:.2f} times", markup=False)
    if "why" in answer:
        _tell_why(answer["why"])


def _tell_why(why: dict[str, Any]) -> None:
    low, high = why["interval"]
    upper = "no upper end: beyond what was measured" if high is None else f"{high:.1f}"
    turned = " (upside down)" if why["upside_down"] else ""
    out.print(f"  score, 95 %: {low:.1f} to {upper}", markup=False)
    out.print(f"  turned by {why['turn_deg']:.0f} degrees{turned}", markup=False)
    out.print(
        f"  evidence: {why['worth']:.1f} of pairs x {why['share']:.2f} of minutiae in common x "
        f"{why['ridges']:.2f} of ridge directions x {why['trust']:.2f} of circumstances",
        markup=False,
    )
    known = [pair["kinds"] for pair in why["pairs"] if "other" not in pair["kinds"]]
    alike = sum(one == other for one, other in known)
    out.print(f"  read alike, as ending or bifurcation: {alike} of {len(known)} pairs", markup=False)
    weighty = sorted(why["because"].items(), key=lambda each: -abs(each[1]))[:_TOLD]
    if weighty:
        told = ", ".join(f"{name} {what:+.2f}" for name, what in weighty)
        out.print(f"  circumstances that say most: {told}", markup=False)
