"""The audit: every clip against its own files, against OpenSim, and against its pictures."""

from odah.dataset.audit.clip_audit import CHECKS, ClipAudit, audit_clip
from odah.dataset.audit.run import AuditOptions, DatasetAudit, audit_dataset

__all__ = ["CHECKS", "AuditOptions", "ClipAudit", "DatasetAudit", "audit_clip", "audit_dataset"]
