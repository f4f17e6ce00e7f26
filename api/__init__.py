"""Ways in: the HTTP service and the command line. The only place where objects are wired together."""
