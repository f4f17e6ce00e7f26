"""The office: registration, examiners' decisions, police verification, EURODAC-style exchange."""
