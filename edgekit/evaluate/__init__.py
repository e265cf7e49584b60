"""How often a bundle answers rightly: questions with known answers, asked many at a time, and what came of them."""
