"""What an uploaded picture becomes before anything of it is kept, and how a page sees it.

In: a file's bytes, from anybody's archive or phone. Out: a file of EdgeKit's own making, with the pixels and the few
attributes that drawing and judging them takes, so that nobody's name rests on a disk because some format has a place
for it. The model sees the same picture as before, bit by bit. ``docs/ward.md`` lists what is kept.

:func:`~edgekit.inputs.kept.keep.keep` and :func:`~edgekit.inputs.kept.keep.masked` make such a file;
:func:`~edgekit.inputs.kept.view.view` and :func:`~edgekit.inputs.kept.view.png` show one.
"""
