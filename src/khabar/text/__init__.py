"""Raw text: normalisation, tokens, sentences."""
