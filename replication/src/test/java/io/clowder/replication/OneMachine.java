// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Create;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Report;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** A machine with the configurations of stores, and words for what happens to it. */
class OneMachine {
  static final ReplicaId N1 = replica(1, 1);
  static final ReplicaId N2 = replica(2, 1);
  static final ReplicaId N3 = replica(3, 1);

  final List<String> heard = new ArrayList<>();
  final ConfigMachine machine =
      new ConfigMachine((store, config) -> heard.add(store + "@" + config.version()));
  long position;

  static ReplicaId replica(int number, long incarnation) {
    return new ReplicaId(new NodeId("n" + number), incarnation);
  }

  static SortedSet<ReplicaId> set(ReplicaId... replicas) {
    return new TreeSet<>(Arrays.asList(replicas));
  }

  static SortedSet<NodeId> nodes(ReplicaId... replicas) {
    SortedSet<NodeId> nodes = new TreeSet<>();
    set(replicas).forEach(it -> nodes.add(it.node()));
    return nodes;
  }

  StoreConfig apply(ConfigCommand command) {
    return apply("s", command);
  }

  StoreConfig apply(String store, ConfigCommand command) {
    byte[] bytes = ConfigMachine.encode(store, command);
    return ConfigMachine.decode(
        machine.apply(new Entry(Entry.Kind.COMMAND, ++position, 0, 1, bytes)));
  }

  StoreConfig config() {
    return ConfigMachine.decode(machine.query("s".getBytes(StandardCharsets.UTF_8)));
  }

  At at() {
    return At.of(config());
  }

  void report(ReplicaId by, long lastEpoch, long lastSeq, ReplicaId... suspects) {
    apply(new Report(at(), by, life(by), lastEpoch, lastSeq, nodes(suspects)));
  }

  static long life(ReplicaId replica) {
    return 10L + replica.node().hashCode();
  }

  /** A store of three that the first leads. */
  void create(int minInsync) {
    apply(new Create(minInsync, 3, set(N1, N2, N3)));
    report(N1, 0, 1);
    report(N2, 0, 0);
    assertNull(config().primary());
    report(N3, 0, 0);
    assertEquals(N1, config().primary());
    assertEquals(1, config().epoch());
  }

  void remove(ReplicaId replica) {
    apply(new Remove(at(), N1, life(N1), replica));
  }

  void assertRefused(ConfigCommand command) {
    StoreConfig before = config();
    assertEquals(before, apply(command));
  }

  static byte[] bytes(StateMachine machine) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    machine.snapshot().writeTo(out);
    return out.toByteArray();
  }
}
