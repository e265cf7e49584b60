"""Sets of questions about pictures whose answers are known: read in the forms in which they are handed round."""
