"""The participant's device: keys and consent, leases, held recordings, and the outbox of sealed segments."""
