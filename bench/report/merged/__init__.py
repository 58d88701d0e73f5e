"""A merged check document as a view: the same formats show it as show a record."""
