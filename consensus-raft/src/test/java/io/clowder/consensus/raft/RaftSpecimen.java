// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Message;
import io.clowder.api.wire.Codec;
import io.clowder.consensus.raft.RaftMessage.VoteReply;
import io.clowder.simulator.toy.Specimen;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Raft for a toy world. */
final class RaftSpecimen implements Specimen<RaftSpecimen.Subject> {
  /** A core and what it is made of. */
  record Subject(RaftCore core, Replica replica) implements Specimen.Subject {
    @Override
    public long base() {
      return replica.log.base();
    }

    @Override
    public byte @Nullable [] command(long slot) {
      boolean held = slot > base() && slot <= replica.log.last();
      return held ? replica.log.decided(slot, slot).get(0) : null;
    }
  }

  @Override
  public Subject open(CoreSetting setting, List<Message> records, int tail) {
    Replica replica = new Recovery(setting).replay(records);
    return new Subject(new RaftCore(setting, replica, tail), replica);
  }

  @Override
  public Codec<Message> codec() {
    return new RaftProtocol().codec();
  }

  @Override
  public boolean binds(Message sent) {
    return sent instanceof VoteReply reply && reply.granted() && !reply.pre();
  }

  /** Log matching: from the last entry that two logs share by term, they are equal backwards. */
  @Override
  public void compare(Subject a, Subject b) {
    RaftLog one = a.replica.log;
    RaftLog two = b.replica.log;
    boolean same = false;
    for (long i = Math.min(one.last(), two.last()); i > Math.max(one.base(), two.base()); i--) {
      boolean term = one.term(i) == two.term(i);
      if ((same && !term) || (term && !Arrays.equals(a.command(i), b.command(i)))) {
        throw new AssertionError("the logs differ at " + i);
      }
      same |= term;
    }
  }
}
