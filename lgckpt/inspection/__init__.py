"""Looking inside: threads, histories, states, differences, searches and sizes of any side."""

from lgckpt.inspection.comparing import (
    Change,
    ChannelChange,
    Comparison,
    acompare_checkpoints,
    compare_checkpoints,
)
from lgckpt.inspection.histories import Step, aread_history, read_history
from lgckpt.inspection.listing import ThreadSummary, alist_threads, list_threads
from lgckpt.inspection.measuring import METHOD, ChannelBytes, ThreadBytes, ameasure, measure
from lgckpt.inspection.messages import Message, ToolCall
from lgckpt.inspection.searching import Match, Skipped, asearch, search
from lgckpt.inspection.showing import (
    ChannelView,
    CheckpointView,
    WriteView,
    ashow_checkpoint,
    show_checkpoint,
)
from lgckpt.inspection.views import Opaque, Typed

__all__ = [
    "METHOD",
    "Change",
    "ChannelBytes",
    "ChannelChange",
    "ChannelView",
    "CheckpointView",
    "Comparison",
    "Match",
    "Message",
    "Opaque",
    "Skipped",
    "Step",
    "ThreadBytes",
    "ThreadSummary",
    "ToolCall",
    "Typed",
    "WriteView",
    "acompare_checkpoints",
    "alist_threads",
    "ameasure",
    "aread_history",
    "asearch",
    "ashow_checkpoint",
    "compare_checkpoints",
    "list_threads",
    "measure",
    "read_history",
    "search",
    "show_checkpoint",
]
