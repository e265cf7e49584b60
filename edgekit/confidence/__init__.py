"""How sure a model is of an answer, and what that is worth: measured on questions whose answers are known."""
