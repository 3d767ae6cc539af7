"""The course as a static web site, which opens from a folder without a network or a server.

`python -m website` (`make site`) runs every lesson's notebook, solved, and writes build/site/html;
`--student` leaves the solutions out. Where a widget needs no kernel it is alive on the page.
"""
