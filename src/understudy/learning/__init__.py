"""Pages to act on, and models: training and evaluation. Never sees the vault."""
