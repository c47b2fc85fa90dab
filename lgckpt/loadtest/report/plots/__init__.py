"""The plots of a run, one a file; each is a figure of Matplotlib's, drawn without a display."""
