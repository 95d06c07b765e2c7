"""Contact sheets: one picture of what was done in recordings, act by act, for people to look at."""
