"""Whether names may stand in a picture's pixels: what headers let one suspect, since none of them tells.

Most files leave Burned In Annotation out, and where it says NO it may have been written before anybody looked: so a
suspicion is never taken back by it. What a DICOM file is suspected for is what people who clean archives filter by: the
attribute, kinds of pictures on which machines write, and screens that were captured.
"""

from __future__ import annotations

from edgekit.inputs.kept.picture import PictureWarning, Reason
from edgekit.inputs.kept.terms import Attributes

# Ultrasound, angiography and fluoroscopy, endoscopy and everything that a camera takes, and what nobody gave a name.
_WRITTEN_ON = {
    *("US", "IVUS", "BDUS", "EC", "CD", "DD", "XA", "RF", "DF", "FA", "DS", "CF", "ES", "CP", "CS", "LP", "MA"),
    *("AS", "XC", "GM", "SM", "DM", "TG", "OP", "OPM", "OPT", "ST", "OT", "SC", "VF"),
}
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # and those below it, of many frames

UNKNOWN = PictureWarning("burned_in_unknown", ("format",))
"""Of formats that say nothing of what they show: a photograph of a screen is a PNG like any other."""


def warnings_of(sop_class: str, terms: Attributes) -> tuple[PictureWarning, ...]:
    """Return the warnings that a DICOM file's class and its words give reasons for."""
    reasons: list[Reason] = []
    if "YES" in terms.get("BurnedInAnnotation", ()):
        reasons.append("attribute")
    if _WRITTEN_ON & {*terms.get("Modality", ())}:
        reasons.append("modality")
    captured = sop_class == _SECONDARY_CAPTURE or sop_class.startswith(_SECONDARY_CAPTURE + ".")
    if captured or terms.get("ConversionType") or "SCREEN SAVE" in terms.get("ImageType", ()):
        reasons.append("secondary_capture")
    return (PictureWarning("burned_in", tuple(reasons)),) if reasons else ()
