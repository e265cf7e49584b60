"""The HTTP of the ward: who signs in, and what he keeps: conversations, pictures, answers."""
