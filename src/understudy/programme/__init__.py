"""Who may be recorded now: document, enrolment, consent, standing, leases and the server's switch."""
