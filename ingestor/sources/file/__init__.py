"""Audit logs in files: follow them through rotations, recognise their content, and read each line once."""
