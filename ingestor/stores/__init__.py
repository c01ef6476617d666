"""Stores: where points go, and what answers the questions of design section 7."""
