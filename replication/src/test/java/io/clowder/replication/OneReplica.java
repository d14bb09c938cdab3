// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.ReplicaMessage.Stamps;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** A replica, what comes out of it, and words for what happens to it: the first of three. */
class OneReplica {
  static final long MILLI = 1_000_000;
  static final Timing TIMING = Timing.USUAL;
  static final ReplicaId N1 = replica(1);
  static final ReplicaId N2 = replica(2);
  static final ReplicaId N3 = replica(3);
  static final long LIFE = 7;
  static final SortedSet<NodeId> NOBODY = new TreeSet<>();

  final Recorded outlet = new Recorded();
  long now = 1_000 * MILLI;
  Replica primary = new Replica(N1, LIFE, TIMING, new Recovered(Image.EMPTY), outlet, now);

  static Recovered recovered(LogRecord... records) {
    Recovered recovered = new Recovered(Image.EMPTY);
    List.of(records).forEach(recovered::append);
    return recovered;
  }

  static ReplicaId replica(int number) {
    return new ReplicaId(new NodeId("n" + number), 1);
  }

  static SortedSet<ReplicaId> set(ReplicaId... replicas) {
    return new TreeSet<>(Arrays.asList(replicas));
  }

  static StoreConfig config(long version, int minInsync, ReplicaId... insync) {
    return new StoreConfig(
        1,
        version,
        N1,
        LIFE,
        false,
        minInsync,
        3,
        set(insync),
        set(),
        set(N1, N2, N3),
        NOBODY,
        set());
  }

  /** Elected, with all on its disk, at a time when no former lease can be in force. */
  void lead(StoreConfig config) {
    primary.configured(config, now);
    primary.flush(now);
    sync();
    pass(2 * TIMING.granted() + MILLI);
  }

  void sync() {
    primary.persisted(outlet.written, now);
    primary.flush(now);
  }

  void pass(long nanos) {
    now += nanos;
    primary.tick(now);
  }

  /** A backup has so much, and answers what was sent at a time. */
  void ack(ReplicaId from, long persisted, long echo, boolean grants) {
    Stamps stamps = new Stamps(from.node().hashCode(), now, LIFE, echo);
    primary.received(from, new Ack(1, stamps, grants, persisted, false, List.of(), persisted), now);
    primary.flush(now);
  }

  void ack(ReplicaId from, long persisted) {
    ack(from, persisted, now, true);
  }

  void write(long ticket) {
    primary.write(ticket, new RequestId(1, ticket), Op.of(new Step.Put("k", new byte[] {1})), now);
    primary.flush(now);
  }

  void read(long ticket) {
    primary.read(ticket, Freshness.LINEARIZABLE, new Query.Get("k"), now);
  }

  boolean isTold(long ticket) {
    return outlet.told.stream().anyMatch(it -> it.ticket() == ticket);
  }

  /** What a backup sends: as {@code ack}, of what its log does not fit. */
  void mismatch(ReplicaId from, long echo, long end, OperationLog.Beginning... history) {
    Stamps stamps = new Stamps(from.node().hashCode(), now, LIFE, echo);
    primary.received(from, new Ack(1, stamps, true, 0, true, List.of(history), end), now);
    primary.flush(now);
  }

  /** A backup of the second replica, which has led since epoch 1 in the life 9. */
  void follow(StoreConfig config) {
    primary.configured(config.withPrimary(config.epoch(), N2, 9), now);
    primary.flush(now);
  }

  /** The second replica, which leads, sends something that was made when it had this echo. */
  void append(
      long echo, boolean grants, long prevEpoch, long prevSeq, long commit, LogRecord... it) {
    Stamps stamps = new Stamps(9, now, LIFE, echo);
    primary.received(
        N2, new Append(1, stamps, true, grants, prevEpoch, prevSeq, commit, List.of(it)), now);
    primary.flush(now);
  }

  Object told(long ticket) {
    return outlet.told.stream()
        .filter(it -> it.ticket() == ticket)
        .map(Recorded.Told::what)
        .findFirst()
        .orElse("nothing");
  }
}
