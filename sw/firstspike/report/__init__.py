"""One page from the files of figures that the other commands write; docs/report.md."""
