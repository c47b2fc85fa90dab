"""Looking after a database: what is in it that need not be, and what is wrong with it."""

from lgckpt.upkeep.choosing import age
from lgckpt.upkeep.doctoring import adoctor, doctor
from lgckpt.upkeep.findings import Diagnosis, Finding
from lgckpt.upkeep.pruning import Pruned, PrunedThread, Trouble, aprune, prune
from lgckpt.upkeep.schema import ddl
from lgckpt.upkeep.threads import (
    Counted,
    Deleted,
    Vacuumed,
    acopy,
    adelete,
    avacuum,
    copy,
    delete,
    vacuum,
)
from lgckpt.upkeep.weighing import Weight

__all__ = [
    "Counted",
    "Deleted",
    "Diagnosis",
    "Finding",
    "Pruned",
    "PrunedThread",
    "Trouble",
    "Vacuumed",
    "Weight",
    "acopy",
    "adelete",
    "adoctor",
    "age",
    "aprune",
    "avacuum",
    "copy",
    "ddl",
    "delete",
    "doctor",
    "prune",
    "vacuum",
]
