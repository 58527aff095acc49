"""Publishes a curated RDF graph: files are checked, built into a release, and served."""

__version__ = "0.1.0"
