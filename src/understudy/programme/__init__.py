"""Who may be recorded now: the programme document, enrolment, consent, standing, leases and the server's switch."""
