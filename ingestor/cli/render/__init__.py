"""Answers and reports as people read them."""
