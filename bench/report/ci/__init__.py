"""What a build server reads of a run: JUnit XML, a Markdown summary, annotations, and one line of JSON."""
