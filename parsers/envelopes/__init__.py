"""What container runtimes, syslog daemons and collectors put around the lines of a log, and how it is taken off.

``kinds`` names the envelopes, ``headers`` and ``objects`` know their forms, ``taking`` takes one off a line, ``records`` puts
together what was split over several lines, and ``parser`` does all of that before any provider's parser.
"""
