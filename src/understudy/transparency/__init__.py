"""The append-only log: entries, sequencer, tiles, checkpoints, witnesses, proofs, verification."""
