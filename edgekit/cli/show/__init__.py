"""Tables and sentences for people; what a result says by itself stands beside its type in the library."""
