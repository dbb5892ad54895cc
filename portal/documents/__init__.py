"""Files that several people, tabs and programs write at the same time: ``docs/developers/documents.md``."""
