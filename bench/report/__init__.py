"""From a record to what people read: terminal, HTML, Markdown, check.json and CSV show the same view."""
