"""What detectors are made of: a bounded memory, incidents that grow, and the pattern that most of them have.

``memory`` forgets what has not changed for longest, ``evidence`` counts who took part, ``incident`` is what grows, ``allowed`` knows whom the
configuration leaves out, and ``surge`` is a detector of much of one kind within a short time.
"""
