"""OpenAI's API, as far as a model that sees pictures and writes text can serve it."""
