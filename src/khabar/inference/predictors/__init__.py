"""One file per kind of predictor; the file's name is the kind."""
