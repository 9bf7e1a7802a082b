"""Two frames of like strength on top of each other: subtract one as far as it is read, read the other, go on.

    upper: sync heard, frame damaged ─▶ take it off, wrong chips and all
        ─▶ syncs beneath ─▶ read lower ─▶ damaged: take it off instead ─▶ read upper ─▶ …

A detector is right about most chips even where a burst as strong lies on top, and words of the line
code more often than chips; where the one is right, the other is heard alone, so both get better by
turns. It ends with the first frame whose CRCs all fit, or when a turn leaves as much unexplained as the last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from dsp.burst import Fault
from dsp.frame_reader import Attempt
from dsp.hit_reader import HitReader
from dsp.plan import Channel
from dsp.sync_search import SyncHit, SyncSearch
from dsp.workspace import Workspace

_MOST_TURNS = 2
_PROGRESS = 0.97  # a turn must leave so much less than the one before
_MOST_PARTNERS = 2
_PARTNER_METRIC = 0.5
_CLEAR_METRIC = 0.75  # of a sync without a good first block
_TURN_METRIC = 0.55  # the same, of a frame that is taken off to read the other one again
_SAME_HIT_CHIPS = 2
_LIKENESS_CHIPS = 30  # a preamble looks like itself that many chips apart


def worth_separating(attempt: Attempt) -> bool:
    """Tell whether enough is right about a damaged frame to begin with it."""
    good_blocks, metric = attempt.merit
    return attempt.fault in (Fault.CRC_MISMATCH, Fault.CRC_AMBIGUOUS) and (
        good_blocks > 0 or metric >= _CLEAR_METRIC
    )


def _worth_a_turn(attempt: Attempt) -> bool:
    """Tell whether enough is right about a frame to read the one upon it without it."""
    good_blocks, metric = attempt.merit
    return good_blocks > 0 or metric >= _TURN_METRIC


class Separation:
    """Separates frames of one channel.

    Args:
        channel: whose.
        search: the channel's.
        reader: the channel's.
    """

    def __init__(self, channel: Channel, search: SyncSearch, reader: HitReader) -> None:
        self._channel = channel
        self._search = search
        self._reader = reader

    def separate(
        self,
        workspace: Workspace,
        upper: Attempt,
        failed: list[Attempt],
        accept: Callable[[Attempt], None],
    ) -> bool:
        """Try to read a damaged frame or one that it lies upon.

        Args:
            workspace: as it was, but for what ``accept`` takes off, when this returns.
            upper: the damaged frame.
            failed: all damaged frames.
            accept: called with a frame while its partner is taken off.

        Returns:
            Whether a frame was read.
        """
        off = workspace.lift_off(upper)
        for hit in self._partners(workspace, workspace.span(off.removed), upper, failed):
            least_left = math.inf
            for _ in range(_MOST_TURNS):
                lower = self._reader.read(workspace.baseband, hit)
                if lower.fault is None:
                    accept(lower)
                    workspace.put_back(off)
                    return True
                if not _worth_a_turn(lower) or not workspace.knows(lower):
                    break
                lower_off = workspace.lift_off(lower)
                left = workspace.power(workspace.span(lower_off.removed))
                if left >= _PROGRESS * least_left:
                    workspace.put_back(lower_off)
                    break
                least_left = left
                workspace.put_back(off)
                again = self._reader.read(workspace.baseband, upper.hit)
                if again.fault is None:
                    accept(again)
                    workspace.put_back(lower_off)
                    return True
                is_new = workspace.knows(again) and again.raw != upper.raw
                if is_new:
                    upper = again
                off = workspace.lift_off(upper)
                workspace.put_back(lower_off)
                if not is_new:
                    break
        workspace.put_back(off)
        return False

    def _partners(
        self, workspace: Workspace, span: tuple[int, int], upper: Attempt, failed: list[Attempt]
    ) -> list[SyncHit]:
        """Find syncs that overlap what was taken off, the clearest first, one of those that are alike."""
        samples_per_chip = self._channel.samples_per_chip
        start, stop = span
        beneath = self._search.find(
            workspace.baseband[start : stop + len(self._channel.pattern) * samples_per_chip]
        )
        hits = [replace(hit, start=hit.start + start) for hit in beneath]
        hits += [a.hit for a in failed if a.hit.start < start < a.span[1]]
        partners: list[SyncHit] = []
        for hit in sorted(hits, key=lambda hit: (-hit.metric, hit.start)):
            own = abs(hit.start - upper.hit.start) < _SAME_HIT_CHIPS * samples_per_chip
            alike = any(abs(hit.start - p.start) < _LIKENESS_CHIPS * samples_per_chip for p in partners)
            if hit.metric >= _PARTNER_METRIC and not own and not alike:
                partners.append(hit)
        return partners[:_MOST_PARTNERS]
