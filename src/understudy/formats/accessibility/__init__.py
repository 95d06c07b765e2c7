"""From what accessibility interfaces say to ``Element``: one normal form for desktop and browser."""
