"""What detectors are made of.

``surge`` is a detector of much of one kind within a short time, which most are: its ``case`` of each subject is a ``window`` of what
happened, until it is an incident with ``evidence``. ``memory`` forgets what has not changed for longest. ``allowed`` knows whom the
configuration leaves out, and ``origin`` which network an address is of.
"""
