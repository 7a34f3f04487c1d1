"""Importers: files of other systems become commands, carried out in batches by the same handlers as everything else."""
