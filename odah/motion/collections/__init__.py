"""Folders of recorded motion as people keep them: who did what in which file. No file of motion is read."""
