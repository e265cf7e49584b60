"""A DICOM file as the picture that a viewer would show: decoded, rescaled, windowed, black on the right side.

The steps are those of the standard's grayscale pipeline (PS3.4 N.2): stored values → modality LUT or
rescale → VOI LUT or window → shades, inverted for MONOCHROME1. Only the frame asked for is decoded.
A step that can't be read counts as absent, and a note says so: viewers draw such pictures too.
``docs/reads.md`` lists what is read. Needs the extra ``dicom``: pydicom, and the decoders for compressed
files that it finds by itself (GDCM for JPEG, JPEG-LS and JPEG 2000; RLE is pydicom's own).
:func:`edgekit.inputs.dicom.read.read_dicom` is imported with the first such file: most processes never see one.
"""
