"""What a hospital's service keeps: accounts, conversations, pictures, and who may see which. There is no HTTP in it.

:class:`~edgekit.ward.ward.Ward` is the way in. It is synchronous, and one thread's at a time.
"""
