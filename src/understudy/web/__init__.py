"""What answers: the server, the custodian and the witness as processes, over HTTP."""
