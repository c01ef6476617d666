"""What `tokentail grafana` does (design section 10): what should be there, what is there, and the way from one to the other.

Deciding is pure (``desired``, ``diff``, ``plan`` and what they are made of); talking is ``client`` alone.
"""
