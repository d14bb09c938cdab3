// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Message;
import io.clowder.api.wire.Codec;
import io.clowder.consensus.paxos.PaxosMessage.Promise;
import io.clowder.simulator.toy.Specimen;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Multi-Paxos for a toy world, often with quorums that are no majorities. */
final class PaxosSpecimen implements Specimen<PaxosSpecimen.Subject> {
  /** So few that what was accepted seldom fits into one page. */
  private static final int PAGE_BYTES = 100;

  /** A core and what it is made of. */
  record Subject(PaxosCore core, Replica replica) implements Specimen.Subject {
    @Override
    public long base() {
      return replica.log.base();
    }

    @Override
    public byte @Nullable [] command(long slot) {
      return replica.log.ballot(slot) == null ? null : replica.log.command(slot);
    }
  }

  @Override
  public Subject open(CoreSetting setting, List<Message> records, int tail) {
    Quorums quorums = Quorums.of(setting.members().size(), setting.parameters());
    Replica replica = new Recovery(setting).replay(quorums, records);
    return new Subject(new PaxosCore(setting, replica, tail, PAGE_BYTES), replica);
  }

  @Override
  public Codec<Message> codec() {
    return new PaxosProtocol().codec();
  }

  @Override
  public SortedMap<String, String> parameters(int members, RandomGenerator random) {
    SortedMap<String, String> parameters = new TreeMap<>();
    if (random.nextInt(3) == 0) {
      int accept = 1 + random.nextInt(members);
      int least = members - accept + 1;
      parameters.put(Quorums.ACCEPT, "" + accept);
      parameters.put(Quorums.PREPARE, "" + (least + random.nextInt(members - least + 1)));
    }
    return parameters;
  }

  @Override
  public boolean binds(Message sent) {
    return sent instanceof Promise;
  }

  /** A ballot proposes one command for a slot ("The Part-Time Parliament", B1 and B3). */
  @Override
  public void compare(Subject a, Subject b) {
    SlotLog one = a.replica.log;
    SlotLog two = b.replica.log;
    for (long i = Math.min(one.last(), two.last()); i > Math.max(one.base(), two.base()); i--) {
      Ballot ballot = one.ballot(i);
      if (ballot != null
          && ballot.equals(two.ballot(i))
          && !Arrays.equals(one.command(i), two.command(i))) {
        throw new AssertionError("two commands in slot " + i + " and ballot " + ballot);
      }
    }
  }
}
