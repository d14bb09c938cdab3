// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Message;
import io.clowder.consensus.paxos.PaxosMessage.Base;
import io.clowder.consensus.paxos.PaxosMessage.Promised;
import io.clowder.consensus.paxos.PaxosMessage.Voted;
import java.util.Arrays;

/**
 * Builds a replica from what its journal still holds and its snapshot.
 *
 * <p>Trimming may have taken away any votes in slots that the snapshot covers, in whatever portions
 * the journal likes. That is no matter: each slot stands for itself, and the last base has the
 * promise.
 */
final class Recovery {
  private final CoreSetting setting;
  private final SlotLog log;
  private Ballot promised = Ballot.NONE;
  private long covered;
  private long decided;

  Recovery(CoreSetting setting) {
    this.setting = setting;
    log = new SlotLog(setting.snapshotSlot());
  }

  /**
   * The replica as it was.
   *
   * @throws IllegalStateException if the records cannot be of one replica, or not of this snapshot
   */
  Replica replay(Quorums quorums, Iterable<Message> records) {
    for (Message message : records) {
      if (message instanceof Promised record) {
        promised(record.ballot());
      } else if (message instanceof Voted record) {
        promised(record.ballot());
        voted(record);
      } else if (message instanceof Base record) {
        promised(record.promised());
        based(record);
      } else {
        throw new IllegalStateException("not a record of Paxos: " + message);
      }
    }
    if (covered > setting.snapshotSlot()) {
      throw new IllegalStateException(
          "the log was compacted up to %d, but the snapshot ends at %d"
              .formatted(covered, setting.snapshotSlot()));
    }
    if (setting.anchor().length > 0) {
      throw new IllegalStateException(
          "the anchor of snapshot %d has %d bytes; Paxos has none"
              .formatted(setting.snapshotSlot(), setting.anchor().length));
    }
    decided = Math.max(decided, setting.snapshotSlot());
    for (long slot = log.base() + 1; slot <= decided; slot++) {
      if (log.ballot(slot) == null) {
        throw new IllegalStateException(
            "slot %d was decided, as all up to %d, but is not in the journal"
                .formatted(slot, decided));
      }
    }
    return new Replica(setting, quorums, log, promised, decided);
  }

  private void promised(Ballot ballot) {
    if (ballot.isBelow(promised)) {
      throw new IllegalStateException(
          "ballot " + ballot + " recorded after ballot " + promised + " was promised");
    }
    if (ballot.member() >= setting.members().size()) {
      throw new IllegalStateException(
          "ballot " + ballot + " recorded, but there are only " + setting.members());
    }
    promised = ballot;
  }

  private void voted(Voted record) {
    decided = Math.max(decided, record.decided());
    for (int i = 0; i < record.commands().size(); i++) {
      long slot = record.first() + i;
      if (slot <= log.base()) {
        continue;
      }
      byte[] command = record.commands().get(i);
      if (record.ballot().equals(log.ballot(slot)) && !Arrays.equals(log.command(slot), command)) {
        throw new IllegalStateException(
            "two commands recorded for slot " + slot + " in ballot " + record.ballot());
      }
      log.put(slot, promised, command);
    }
  }

  private void based(Base record) {
    if (record.slot() < covered) {
      throw new IllegalStateException(
          "a base at " + record.slot() + " recorded after one at " + covered);
    }
    covered = record.slot();
  }
}
