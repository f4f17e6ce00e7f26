"""The sequence check's flags in the languages of the desk; English stands in the flag itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from enrollment.advice import Language
from matcher.codes import FingerPosition
from workflow.sequence import SequenceCode, SequenceFlag


def flag_in(flag: SequenceFlag, language: Language) -> SequenceFlag:
    """The same flag with its sentence in a language; the code stays as it is."""
    if language is Language.ENGLISH:
        return flag
    names = ", ".join(finger_name(FingerPosition(finger), language) for finger in flag.fingers)
    return replace(flag, advice=_SENTENCES[flag.code][language].format(names))


def finger_name(position: FingerPosition, language: Language) -> str:
    """What a finger or slap is called: `rechterduim`; in English its code name."""
    if language is Language.ENGLISH:
        return position.name.lower()
    return _NAMES[language][position]


def _names(*names: str) -> Mapping[FingerPosition, str]:
    """Positions 0-15 in their order."""
    return MappingProxyType({FingerPosition(number): name for number, name in enumerate(names)})


def _sentences(french: str, dutch: str, german: str) -> Mapping[Language, str]:
    return MappingProxyType({Language.FRENCH: french, Language.DUTCH: dutch, Language.GERMAN: german})


_NAMES: Final[Mapping[Language, Mapping[FingerPosition, str]]] = MappingProxyType(
    {
        Language.FRENCH: _names(
            *("doigt inconnu", "pouce droit", "index droit", "majeur droit", "annulaire droit"),
            *("auriculaire droit", "pouce gauche", "index gauche", "majeur gauche", "annulaire gauche"),
            *("auriculaire gauche", "pouce droit à plat", "pouce gauche à plat", "quatre doigts droits"),
            *("quatre doigts gauches", "deux pouces"),
        ),
        Language.DUTCH: _names(
            *("onbekende vinger", "rechterduim", "rechterwijsvinger", "rechtermiddelvinger"),
            *("rechterringvinger", "rechterpink", "linkerduim", "linkerwijsvinger", "linkermiddelvinger"),
            *("linkerringvinger", "linkerpink", "rechterduim plat", "linkerduim plat", "vier vingers rechts"),
            *("vier vingers links", "beide duimen"),
        ),
        Language.GERMAN: _names(
            *("unbekannter Finger", "rechter Daumen", "rechter Zeigefinger", "rechter Mittelfinger"),
            *("rechter Ringfinger", "rechter kleiner Finger", "linker Daumen", "linker Zeigefinger"),
            *("linker Mittelfinger", "linker Ringfinger", "linker kleiner Finger", "rechter Daumen flach"),
            *("linker Daumen flach", "vier Finger rechts", "vier Finger links", "beide Daumen"),
        ),
    }
)

#: Names stand in brackets, so that no language has to bend them.
_SENTENCES: Final[Mapping[SequenceCode, Mapping[Language, str]]] = MappingProxyType(
    {
        SequenceCode.SWAPPED_FINGERS: _sentences(
            "Doigts échangés dans l'une des captures ({}) : vérifiez laquelle, puis recommencez les deux.",
            "Vingers verwisseld in een van de opnamen ({}): ga na in welke en neem beide opnieuw.",
            "Finger in einer der Aufnahmen vertauscht ({}): prüfen, in welcher, und beide erneut aufnehmen.",
        ),
        SequenceCode.SWAPPED_HANDS: _sentences(
            "Mains gauche et droite échangées dans l'une des captures ({}) : vérifiez laquelle, puis "
            "recommencez-la.",
            "Linker- en rechterhand verwisseld in een van de opnamen ({}): ga na in welke, neem die opnieuw.",
            "Linke und rechte Hand in einer der Aufnahmen vertauscht ({}): prüfen, in welcher, und diese "
            "erneut aufnehmen.",
        ),
        SequenceCode.SAME_FINGER_TWICE: _sentences(
            "Le même doigt a été capturé deux fois ({}) : recommencez la capture erronée.",
            "Dezelfde vinger is twee keer opgenomen ({}): neem de verkeerde opnieuw.",
            "Derselbe Finger wurde zweimal aufgenommen ({}): den falschen erneut aufnehmen.",
        ),
        SequenceCode.OTHER_FINGER: _sentences(
            "Deux empreintes de noms différents montrent le même doigt ({}) : vérifiez laquelle est erronée.",
            "Twee afdrukken met verschillende namen tonen dezelfde vinger ({}): ga na welke verkeerd is.",
            "Zwei verschieden benannte Abdrücke zeigen denselben Finger ({}): prüfen, welcher falsch ist.",
        ),
        SequenceCode.NOT_CONFIRMED: _sentences(
            "Les deux empreintes ne se confirment pas ({}) : vérifiez le doigt, puis recommencez la capture.",
            "De twee afdrukken bevestigen elkaar niet ({}): controleer de vinger en neem opnieuw.",
            "Die beiden Abdrücke bestätigen einander nicht ({}): Finger prüfen und erneut aufnehmen.",
        ),
        SequenceCode.OTHER_HAND: _sentences(
            "L'image semble montrer l'autre main ({}) : vérifiez le nom ou recommencez la capture.",
            "De afbeelding lijkt de andere hand te tonen ({}): controleer de naam of neem opnieuw.",
            "Das Bild zeigt offenbar die andere Hand ({}): Bezeichnung prüfen oder erneut aufnehmen.",
        ),
    }
)
