"""The coded words that a kept DICOM file may say, attribute by attribute: DICOM's own, and nothing else.

A coded string has room for sixteen letters, and people do type names where a body part belongs. So a word is kept
because it stands here, never because of how it looks; what doesn't counts as absent.

Sources: PS3.3 C.7.3.1.1.1 (modality), PS3.16 L (body part), PS3.3 C.7.6.1.1.1 (orientation), C.8.1.2 (position of the
view), C.8.6.1 (how it was converted), C.7.6.1.1.2 (kind of image).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_MODALITIES = _set(
    """
    AR AS BDUS BI BMD CD CF CP CR CS CT DD DF DG DM DS DX EC EPS ES FA FS FUNDUS GM HC IO IVOCT IVUS KER LEN LP LS MA
    MG MR MS NM OAM OCT OP OPM OPR OPT OPTBSV OPTENF OPV OSS OT POS PT PX RF RG RTDOSE RTIMAGE SC SEG SM SRF ST TG US
    VA VF XA XC
    """
)
_BODY_PARTS = _set(
    """
    ABDOMEN ABDOMENPELVIS ADRENAL ANKLE ANUS AORTA ARM AXILLA BACK BILEDUCT BLADDER BRAIN BREAST BRONCHUS BUTTOCK
    CALCANEUS CALF CAROTID CEREBELLUM CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CIRCLEOFWILLIS CLAVICLE COCCYX
    COLON CORNEA CORONARYARTERY CSPINE CTSPINE DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FEMUR FIBULA
    FINGER FOOT FOREARM FOREFOOT GALLBLADDER HAND HEAD HEADNECK HEART HIP HUMERUS IAC ILEUM ILIUM JAW JEJUNUM KIDNEY
    KNEE LARYNX LEG LIVER LSPINE LSSPINE LUNG MANDIBLE MASTOID MAXILLA MEDIASTINUM MOUTH NECK NECKCHEST
    NECKCHESTABDOMEN NECKCHESTABDPELV NOSE ORBIT OVARY PANCREAS PAROTID PATELLA PELVIS PENIS PHARYNX PROSTATE RADIUS
    RADIUSULNA RECTUM RIB SACRUM SCALP SCAPULA SCLERA SCROTUM SELLA SHOULDER SIJOINT SKULL SPINE SPLEEN SSPINE STERNUM
    STOMACH SUBMANDIBULAR TESTIS THIGH THORAX THUMB THYMUS THYROID TIBIA TIBIAFIBULA TLSPINE TMJ TOE TONGUE TRACHEA
    TSPINE ULNA UPPERARM URETER URETHRA UTERUS VAGINA VULVA WHOLEBODY WRIST ZYGOMA
    """
)
_VIEWS = _set("AP PA LL RL RLD LLD RLO LLO LAT LATERAL OBL OBLIQUE AXIAL CC MLO ML LM LMO XCCL XCCM FB")
_SIDES = frozenset("RLUB")
_ANSWERS = frozenset(("YES", "NO"))
_CONVERSIONS = _set("DV DI DF WSD SD SI DRW SYN")
_KINDS = frozenset(("ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "SCREEN SAVE"))
_LOSSY = frozenset(("00", "01"))
_DIRECTION = re.compile("(?!.*(.).*\\1)[APLRHF]{1,3}")

_Keep = Callable[[str], str]


def _one_of(words: frozenset[str]) -> _Keep:
    return lambda word: word if word in words else ""


def _body_part(word: str) -> str:
    """A body part however it is spaced: many write ``C-SPINE`` or ``WHOLE BODY``."""
    return _one_of(_BODY_PARTS)(re.sub("[ _-]", "", word))


def _direction(word: str) -> str:
    return word if _DIRECTION.fullmatch(word) else ""


TERMS: Mapping[str, _Keep] = {
    "Modality": _one_of(_MODALITIES),
    "BodyPartExamined": _body_part,
    "ViewPosition": _one_of(_VIEWS),
    "Laterality": _one_of(_SIDES),
    "ImageLaterality": _one_of(_SIDES),
    "PatientOrientation": _direction,
    "BurnedInAnnotation": _one_of(_ANSWERS),
    "ConversionType": _one_of(_CONVERSIONS),
    "ImageType": _one_of(_KINDS),
    "LossyImageCompression": _one_of(_LOSSY),
}
"""The attributes with coded words, and what is kept of each of their values: the word, or ""."""

Attributes = dict[str, tuple[str, ...]]


def read_terms(header: Dataset) -> Attributes:
    """Return the words of ``header`` that are kept, by their attributes' keywords."""
    read = {keyword: tuple(map(keep, _words(header, keyword))) for keyword, keep in TERMS.items()}
    kinds = tuple(filter(None, read.pop("ImageType")))  # makers' own words stand beside the standard's
    return {keyword: words for keyword, words in (*read.items(), ("ImageType", kinds)) if words and all(words)}


def _words(header: Dataset, keyword: str) -> list[str]:
    try:
        value = header.get(keyword)
    except Exception:  # pydicom converts values when they are asked for, and raises anything
        return []
    parts = [value] if isinstance(value, str) else value if hasattr(value, "__iter__") else []
    return [str(part).strip().upper() for part in parts]
