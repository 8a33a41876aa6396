"""One self-contained HTML page that lets one trust, or distrust, a dataset at a glance."""

from odah.dataset.report.page import write_report

__all__ = ["write_report"]
