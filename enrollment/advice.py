"""What the operator is told, in four languages: one sentence for each code, what is seen and what to do.

The codes are stored and stable; the sentences may be reworded at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from enrollment.capture import Defect, Reason
from enrollment.nfiq2 import Nfiq2Failure


class Language(StrEnum):
    """ISO 639-1 codes of the languages of the office, and English."""

    ENGLISH = "en"
    FRENCH = "fr"
    DUTCH = "nl"
    GERMAN = "de"


#: Every code an operator can meet: what is wrong with a capture, why there is no template, why no NFIQ 2.
CODES: Final = tuple(dict.fromkeys(str(code) for kind in (Defect, Reason, Nfiq2Failure) for code in kind))


def advice(code: str, language: Language = Language.ENGLISH) -> str:
    """The sentence for a code of `CODES`."""
    return _TEXTS[code][language]


def _texts(english: str, french: str, dutch: str, german: str) -> Mapping[Language, str]:
    return MappingProxyType(
        {
            Language.ENGLISH: english,
            Language.FRENCH: french,
            Language.DUTCH: dutch,
            Language.GERMAN: german,
        }
    )


_TEXTS: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {
        Defect.TOO_DRY: _texts(
            "The finger is too dry: moisten it a little or warm it, and capture again.",
            "Le doigt est trop sec : humidifiez-le légèrement ou réchauffez-le, puis recommencez la capture.",
            "De vinger is te droog: bevochtig of verwarm hem een beetje en neem de afdruk opnieuw.",
            "Der Finger ist zu trocken: etwas anfeuchten oder anwärmen und erneut aufnehmen.",
        ),
        Defect.TOO_WET: _texts(
            "The finger is too wet or pressed too hard: dry it, press lightly, and capture again.",
            "Le doigt est trop humide ou trop appuyé : séchez-le, appuyez légèrement, puis recommencez.",
            "De vinger is te nat of te hard aangedrukt: droog hem af, druk licht en neem de afdruk opnieuw.",
            "Der Finger ist zu feucht oder zu stark aufgedrückt: abtrocknen, leicht auflegen, erneut "
            "aufnehmen.",
        ),
        Defect.TOO_SMALL: _texts(
            "Too little of the finger touches the sensor: place the whole pad flat, and capture again.",
            "Une trop petite partie du doigt touche le capteur : posez toute la pulpe à plat, puis "
            "recommencez.",
            "Te weinig van de vinger raakt de sensor: leg de hele vingertop vlak neer en neem opnieuw.",
            "Zu wenig vom Finger berührt den Sensor: die ganze Fingerkuppe flach auflegen, erneut aufnehmen.",
        ),
        Defect.OFF_CENTRE: _texts(
            "The finger lies at the edge of the sensor: place it in the middle, and capture again.",
            "Le doigt est au bord du capteur : placez-le au centre, puis recommencez la capture.",
            "De vinger ligt aan de rand van de sensor: leg hem in het midden en neem de afdruk opnieuw.",
            "Der Finger liegt am Rand des Sensors: in die Mitte legen und erneut aufnehmen.",
        ),
        Defect.LOW_CONTRAST: _texts(
            "The print is faint: clean the sensor, press a little more, and capture again.",
            "L'empreinte est trop pâle : nettoyez le capteur, appuyez un peu plus, puis recommencez.",
            "De afdruk is te flauw: maak de sensor schoon, druk iets harder en neem de afdruk opnieuw.",
            "Der Abdruck ist zu blass: Sensor reinigen, etwas stärker auflegen und erneut aufnehmen.",
        ),
        Defect.SMEARED: _texts(
            "The finger moved: hold it still until the picture is taken, and capture again.",
            "Le doigt a bougé : tenez-le immobile jusqu'à la fin de la capture, puis recommencez.",
            "De vinger is bewogen: houd hem stil tot de opname klaar is en neem de afdruk opnieuw.",
            "Der Finger hat sich bewegt: bis zum Ende der Aufnahme ruhig halten und erneut aufnehmen.",
        ),
        Defect.SEVERAL_FINGERS: _texts(
            "More than one finger is in the picture: place one finger only, and capture again.",
            "Plusieurs doigts sont visibles : posez un seul doigt, puis recommencez la capture.",
            "Er staat meer dan één vinger op het beeld: leg één vinger neer en neem de afdruk opnieuw.",
            "Mehr als ein Finger ist im Bild: nur einen Finger auflegen und erneut aufnehmen.",
        ),
        Defect.UPSIDE_DOWN: _texts(
            "The finger seems to point down: check the picture, turn it, or capture again with the tip up.",
            "Le doigt semble pointer vers le bas : vérifiez l'image, tournez-la ou recommencez, pointe "
            "en haut.",
            "De vinger lijkt naar beneden te wijzen: controleer en draai het beeld, of neem opnieuw, "
            "top boven.",
            "Der Finger zeigt wohl nach unten: Bild prüfen und drehen oder mit der Spitze oben neu "
            "aufnehmen.",
        ),
        Defect.WRONG_RESOLUTION: _texts(
            "The ridges are too close or too far apart: check the resolution (ppi) given with the picture.",
            "Les crêtes sont trop serrées ou trop espacées : vérifiez la résolution (ppi) donnée avec "
            "l'image.",
            "De lijnen liggen te dicht of te ver uit elkaar: controleer de opgegeven resolutie (ppi).",
            "Die Linien liegen zu dicht oder zu weit: die zum Bild angegebene Auflösung (ppi) prüfen.",
        ),
        Defect.FEW_MINUTIAE: _texts(
            "Few details can be read: place the whole pad flat and press evenly, and capture again.",
            "Peu de détails sont lisibles : posez toute la pulpe à plat, appuyez uniformément, puis "
            "recommencez.",
            "Er zijn weinig details leesbaar: leg de hele vingertop vlak, druk gelijkmatig en neem opnieuw.",
            "Wenige Einzelheiten sind lesbar: Fingerkuppe flach und gleichmäßig auflegen, erneut aufnehmen.",
        ),
        Reason.NO_FINGERPRINT: _texts(
            "No ridge pattern was found: check that the picture shows a finger, and capture again.",
            "Aucun dessin de crêtes n'a été trouvé : vérifiez que l'image montre un doigt, puis recommencez.",
            "Er is geen lijnenpatroon gevonden: controleer of het beeld een vinger toont en neem opnieuw.",
            "Kein Linienmuster gefunden: prüfen, ob das Bild einen Finger zeigt, und erneut aufnehmen.",
        ),
        Reason.NO_FINGERTIP: _texts(
            "This is not the tip of one finger: place one fingertip, pointing up, or tell that it is more.",
            "Ce n'est pas le bout d'un seul doigt : posez un seul doigt, pointe en haut, ou indiquez "
            "plusieurs doigts.",
            "Dit is niet de top van één vinger: leg één vingertop neer, omhoog gericht, of meld dat het er "
            "meer zijn.",
            "Das ist nicht die Kuppe eines Fingers: eine Fingerkuppe nach oben auflegen oder als mehrere "
            "Finger angeben.",
        ),
        Reason.TOO_FEW_MINUTIAE: _texts(
            "The ridges are too unclear to compare: clean finger and sensor, moisten a dry finger or "
            "dry a wet "
            "one, and capture again.",
            "Les crêtes sont trop floues pour être comparées : nettoyez doigt et capteur, humidifiez un "
            "doigt "
            "sec ou séchez un doigt humide, puis recommencez.",
            "De lijnen zijn te onduidelijk om te vergelijken: maak vinger en sensor schoon, bevochtig "
            "een droge "
            "of droog een natte vinger en neem de afdruk opnieuw.",
            "Die Linien sind zum Vergleich zu undeutlich: Finger und Sensor reinigen, trockenen Finger "
            "anfeuchten oder feuchten abtrocknen und erneut aufnehmen.",
        ),
        Reason.TOO_FEW_FINGERS: _texts(
            "Fewer fingers are seen than expected: declare missing fingers, or capture the hand again.",
            "Moins de doigts que prévu : déclarez les doigts manquants ou recommencez la capture de la main.",
            "Er zijn minder vingers dan verwacht: geef ontbrekende vingers op of neem de hand opnieuw.",
            "Weniger Finger als erwartet: fehlende Finger angeben oder die Hand erneut aufnehmen.",
        ),
        Reason.TOO_MANY_FINGERS: _texts(
            "More fingers are seen than expected: correct the position or the missing fingers, or capture "
            "again with nothing else on the glass.",
            "Plus de doigts que prévu : corrigez la position ou les doigts manquants, ou recommencez avec "
            "rien d'autre sur la vitre.",
            "Er zijn meer vingers dan verwacht: verbeter de positie of de ontbrekende vingers, of neem "
            "opnieuw met niets anders op het glas.",
            "Mehr Finger als erwartet: Position oder fehlende Finger berichtigen, oder erneut aufnehmen, "
            "mit nichts anderem auf dem Glas.",
        ),
        Reason.NO_HAND: _texts(
            "The prints do not lie as the fingers of a hand do: place them side by side, pointing up.",
            "Les empreintes ne sont pas disposées comme une main : placez les doigts côte à côte, vers le "
            "haut.",
            "De afdrukken liggen niet als de vingers van een hand: leg ze naast elkaar, omhoog gericht.",
            "Die Abdrücke liegen nicht wie die Finger einer Hand: nebeneinander und nach oben auflegen.",
        ),
        Nfiq2Failure.BLANK: _texts(
            "The picture is empty: check scanner and cable, and capture again.",
            "L'image est vide : vérifiez le scanner et son câble, puis recommencez.",
            "Het beeld is leeg: controleer scanner en kabel en neem de afdruk opnieuw.",
            "Das Bild ist leer: Scanner und Kabel prüfen und erneut aufnehmen.",
        ),
        Nfiq2Failure.TOO_LARGE: _texts(
            "The picture is larger than one finger: crop it to the finger, or check its resolution (ppi).",
            "L'image est plus grande qu'un doigt : recadrez-la sur le doigt ou vérifiez sa résolution (ppi).",
            "Het beeld is groter dan één vinger: snijd het bij tot de vinger of controleer de resolutie "
            "(ppi).",
            "Das Bild ist größer als ein Finger: auf den Finger zuschneiden oder die Auflösung (ppi) prüfen.",
        ),
        Nfiq2Failure.STOPPED: _texts(
            "NFIQ 2 could not score this picture: capture again; tell the support if it happens often.",
            "NFIQ 2 n'a pas pu évaluer cette image : recommencez ; prévenez l'assistance si cela se répète.",
            "NFIQ 2 kon dit beeld niet beoordelen: neem opnieuw; meld het als het vaker gebeurt.",
            "NFIQ 2 konnte dieses Bild nicht bewerten: erneut aufnehmen; bei Wiederholung melden.",
        ),
        Nfiq2Failure.UNAVAILABLE: _texts(
            "NFIQ 2 is not available on this machine just now: `tenprint doctor` says why.",
            "NFIQ 2 n'est pas disponible sur cette machine pour le moment : `tenprint doctor` dit pourquoi.",
            "NFIQ 2 is nu niet beschikbaar op deze machine: `tenprint doctor` zegt waarom.",
            "NFIQ 2 ist auf diesem Rechner gerade nicht verfügbar: `tenprint doctor` sagt warum.",
        ),
    }
)
