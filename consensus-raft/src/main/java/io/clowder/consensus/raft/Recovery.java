// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Message;
import io.clowder.consensus.raft.RaftMessage.Appended;
import io.clowder.consensus.raft.RaftMessage.Base;
import io.clowder.consensus.raft.RaftMessage.Vote;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Builds a replica from what its journal still holds and its snapshot.
 *
 * <p>Trimming may have taken records away, in whatever portions the journal likes. So entries that
 * do not fit what was replayed before them are no contradiction by themselves: what they should
 * have fitted was trimmed, and the log starts anew with them. In the end the log must reach back to
 * the snapshot.
 */
final class Recovery {
  private final CoreSetting setting;
  private final RaftLog log;
  private long term;
  private @Nullable NodeId vote;
  private long covered;

  Recovery(CoreSetting setting) {
    this.setting = setting;
    log = new RaftLog(0, 0);
  }

  /**
   * The replica as it was.
   *
   * @throws IllegalStateException if the records cannot be of one replica, or not of this snapshot
   */
  Replica replay(Iterable<Message> records) {
    for (Message message : records) {
      if (message instanceof Vote record) {
        voted(record.term(), record.vote());
      } else if (message instanceof Appended record) {
        appended(record);
      } else if (message instanceof Base record) {
        voted(record.term(), record.vote());
        based(record);
      } else {
        throw new IllegalStateException("not a record of Raft: " + message);
      }
    }
    if (log.lastTerm() > term) {
      throw new IllegalStateException(
          "the log ends in term " + log.lastTerm() + ", but the replica was never past " + term);
    }
    long slotTerm = Anchor.term(setting);
    meetSnapshot(setting.snapshotSlot(), slotTerm);
    Replica replica = new Replica(setting, log, term, vote);
    if (slotTerm > term) {
      // Installed, and crashed before the core could record it. It never voted in that term.
      replica.enter(slotTerm);
    }
    return replica;
  }

  private void voted(long newTerm, @Nullable NodeId newVote) {
    if (newTerm < term) {
      throw new IllegalStateException("term " + newTerm + " recorded after term " + term);
    }
    if (newTerm == term && vote != null && !Objects.equals(vote, newVote)) {
      throw new IllegalStateException(
          "two votes recorded in term " + term + ": " + vote + " and " + newVote);
    }
    term = newTerm;
    vote = newVote;
  }

  private void appended(Appended record) {
    if (log.holds(record.prevIndex(), record.prevTerm())) {
      log.truncate(record.prevIndex());
    } else {
      log.reset(record.prevIndex(), record.prevTerm());
    }
    log.append(record.entries());
  }

  private void based(Base record) {
    if (record.index() < covered) {
      throw new IllegalStateException(
          "a base at " + record.index() + " recorded after one at " + covered);
    }
    covered = record.index();
    // A log that starts later lost the entries between to a later trim, whose base comes yet.
    if (record.index() >= log.base() && !log.holds(record.index(), record.indexTerm())) {
      log.reset(record.index(), record.indexTerm());
    }
  }

  /** §7: what follows the snapshot's last entry is kept if the log holds that very entry. */
  private void meetSnapshot(long slot, long slotTerm) {
    if (covered > slot) {
      throw new IllegalStateException(
          "the log was compacted up to " + covered + ", but the snapshot ends at " + slot);
    }
    if (log.base() > slot) {
      throw new IllegalStateException(
          "the log starts after " + log.base() + ", but the snapshot ends at " + slot);
    }
    if (log.holds(slot, slotTerm)) {
      log.compact(slot);
    } else {
      log.reset(slot, slotTerm);
    }
  }
}
