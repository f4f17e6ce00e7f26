"""Image to record: decoding, quality, minutiae extraction, template codecs, the durable record store."""
