"""How the answers to a request are to be written, read from its fields; what this service does not do is refused."""

from __future__ import annotations

from edgekit.serve.openai.request import ChatRequest
from edgekit.serve.openai.sampling import params_of, require_served, schema_of
from edgekit.serve.service import Service, Wish


def wish_of(request: ChatRequest, service: Service, answers: int) -> Wish:
    """Return what a chat completion wishes for, ``answers`` at most at once; :class:`~edgekit.serve.refusal.Refusal`
    of status 400 names the field that isn't served, or can't be meant.
    """
    require_served(request, answers)
    params = params_of(request, service.most_tokens, service.manifest.spec.decoder.vocab)
    service.require_tokens(request)
    return Wish(params=params, batch=request.service_tier == "flex", schema=schema_of(request.response_format))
