"""A checkpoint's own chat template: found, rendered once, taken apart into a TemplateSpec, and compared with it.

Templates are Jinja programs, which nothing but reading a checkpoint runs: what a bundle keeps are the pieces of text
that the program writes (:class:`~edgekit.checkpoint.spec.TemplateSpec`). A program that does more than pieces can say
is refused, with both texts.
"""
