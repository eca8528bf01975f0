"""One file per format; the file's name is the importer's name."""
