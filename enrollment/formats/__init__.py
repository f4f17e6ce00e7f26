"""One module per record format and version; each decodes bytes into our types and encodes them back."""
