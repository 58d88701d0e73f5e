"""Output of a run for a build server: JUnit XML, a Markdown summary, annotations, and one line of JSON."""
