// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.dht.DhtVersion;
import io.clowder.dht.KeeperMessage.Compare;
import io.clowder.dht.KeeperMessage.Keep;
import io.clowder.dht.KeeperMessage.Kept;
import io.clowder.dht.KeeperMessage.Same;
import io.clowder.dht.TableCommand.Fail;
import io.clowder.dht.TableCommand.HandOver;
import io.clowder.dht.TableCommand.Join;
import io.clowder.dht.TableCommand.Part;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One node in mode {@code consistent}, and another one of which it hears what a test says. */
class TableKeeperTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final Seat HERE = new Seat(A, 1);
  private static final Seat THERE = new Seat(B, 1);
  private static final TableSettings RING = new TableSettings(16, 2, Identifier.SHA_1);

  private final Deque<Runnable> later = new ArrayDeque<>();
  private final List<KeeperMessage> sent = new ArrayList<>();
  private final List<TableCommand> proposed = new ArrayList<>();
  private final Map<Long, Answer> answers = new HashMap<>();
  private long now = SECOND;
  private long requests;
  private boolean hasDisk;
  private long appended;
  private Table table = Table.empty(RING);
  private List<NodeId> targets = List.of(A);

  /** Whether consensus answers this node. */
  private boolean isReached = true;

  /** What the other one does when it is told something. */
  private Consumer<KeeperMessage> other = this::isSame;

  private final TableKeeper keeper =
      new TableKeeper(
          new Shelf(HERE, settings(), new Values(), port(), new SplittableRandom(1), now),
          consensus(),
          joining(HERE, 1),
          () -> request -> Collections.nCopies(16, targets));

  private static KeeperSettings settings() {
    KeeperSettings usual = KeeperSettings.USUAL;
    return new KeeperSettings(
        2,
        1,
        usual.attemptNanos(),
        usual.resendNanos(),
        usual.operationsMax(),
        usual.operationBytesMax(),
        usual.transferBytes(),
        usual.tombstoneMillis(),
        usual.antiEntropyNanos());
  }

  private static Join joining(Seat seat, int weight) {
    return new Join(seat.node(), seat.life(), 0, "", weight, RING);
  }

  private KeeperPort port() {
    return new KeeperPort() {
      @Override
      public boolean send(Seat to, KeeperMessage message) {
        sent.add(message);
        later.add(() -> other.accept(message));
        return true;
      }

      @Override
      public long append(Value value) {
        return hasDisk ? ++appended : 0;
      }

      @Override
      public long forget(Identifier id) {
        return 0;
      }

      @Override
      public void answered(long ticket, Reply reply) {
        answers.put(ticket, reply.answer());
      }

      @Override
      public long wallMillis() {
        return now / MILLI;
      }
    };
  }

  private TablePlacement.Consensus consensus() {
    return new TablePlacement.Consensus() {
      @Override
      public void read(Consumer<Boolean> then) {
        later.add(() -> then.accept(isReached));
      }

      @Override
      public void propose(TableCommand command, Consumer<@Nullable Verdict> then) {
        proposed.add(command);
        later.add(
            () -> {
              Verdict verdict = commit(command);
              then.accept(verdict);
            });
      }
    };
  }

  private Verdict commit(TableCommand command) {
    TableChange.Outcome outcome = TableChange.of(table, command);
    table = outcome.table();
    keeper.committed(table, now);
    return outcome.isAccepted()
        ? Verdict.accepted(table.epoch())
        : Verdict.refused(table.epoch(), outcome.refusal());
  }

  private void isSame(KeeperMessage message) {
    if (message instanceof Compare compare) {
      hear(new Same(compare.ticket(), true));
    }
  }

  private void hear(KeeperMessage message) {
    keeper.keeper().received(THERE, HERE, message, now);
  }

  private void pass(long nanos) {
    for (long end = now + nanos; now < end; now += MILLI) {
      keeper.tick(now);
      while (!later.isEmpty()) {
        later.remove().run();
      }
    }
  }

  /** Both are members, and the placement is the one that a test wants. */
  private void begin(NodeId... holders) {
    targets = List.of(holders);
    commit(joining(THERE, 1));
    pass(3 * SECOND);
    assertEquals(targets, table.assignment(0).targets());
    sent.clear();
    proposed.clear();
  }

  /** Has the policy asked again. */
  private void place(NodeId... nodes) {
    targets = List.of(nodes);
    commit(joining(THERE, 2));
  }

  private int partition(String key) {
    return table.partitionOf(id(key));
  }

  private static Identifier id(String key) {
    return Identifier.hash(Identifier.SHA_1, key.getBytes(UTF_8));
  }

  private static Ask fetch() {
    return new Ask(
        Ask.Kind.FETCH,
        id("k"),
        "k".getBytes(UTF_8),
        null,
        null,
        0,
        0,
        new RequestKey(2, 1),
        false);
  }

  private long ask(Ask.Kind kind, String key) {
    byte[] content = kind == Ask.Kind.STORE ? new byte[1] : null;
    RequestKey request = new RequestKey(1, ++requests);
    Ask ask = new Ask(kind, id(key), key.getBytes(UTF_8), content, null, 0, 0, request, false);
    keeper.keeper().ask(requests, ask, now + 60 * SECOND, now);
    return requests;
  }

  private List<Keep> keeps(String key) {
    List<Keep> keeps = new ArrayList<>();
    for (KeeperMessage message : sent) {
      if (message instanceof Keep keep && keep.value().id().equals(id(key))) {
        keeps.add(keep);
      }
    }
    return keeps;
  }

  private boolean isHandedOver(int partition) {
    for (TableCommand command : proposed) {
      if (command instanceof HandOver it
          && it.parts().stream().map(Part::partition).anyMatch(part -> part == partition)) {
        return true;
      }
    }
    return false;
  }

  // ---- the lease of the owner before ---------------------------------------------------------

  @Test
  void whoTakesOverFromOneThatMayNotKnowWaitsForItsLease() {
    begin(B, A);
    commit(new Fail(B, 1, A));
    assertEquals(A, table.assignment(0).owner());
    long ticket = ask(Ask.Kind.FETCH, "k");
    pass(TablePlacement.LEASE_NANOS);
    assertEquals(List.of(), keeper.serving());
    assertFalse(answers.containsKey(ticket));
    pass(TablePlacement.LEASE_NANOS / 2);
    assertEquals(16, keeper.serving().size());
    assertEquals(Answer.Code.DONE, answers.get(ticket).code());
  }

  @Test
  void whoTakesOverFromOneThatHasStoppedDoesNot() {
    begin(B, A);
    place(A, B);
    pass(SECOND);
    commit(new HandOver(B, 1, List.of(new Part(0, table.assignment(0).version()))));
    assertEquals(A, table.assignment(0).owner());
    assertEquals(List.of(0), keeper.serving());
  }

  @Test
  void whoIsCutOffFromConsensusReadsNothingAndSaysSo() {
    pass(3 * SECOND);
    begin(A, B);
    pass(SECOND);
    assertEquals(List.of(), keeper.problems());
    isReached = false;
    long read = ask(Ask.Kind.FETCH, "k");
    pass(SECOND);
    assertFalse(answers.containsKey(read));
    assertTrue(keeper.problems().get(0).startsWith("consensus does not answer"));
    long write = ask(Ask.Kind.STORE, "other");
    pass(SECOND / 10);
    hear(new Kept(keeps("other").get(0).ticket()));
    assertEquals(Answer.Code.DONE, answers.get(write).code());
    isReached = true;
    pass(SECOND);
    assertEquals(Answer.Code.DONE, answers.get(read).code());
    assertEquals(List.of(), keeper.problems());
  }

  /** Nobody has to read anything for that. */
  @Test
  void whoIsNotCutOffAnyMoreSaysSo() {
    pass(3 * SECOND);
    begin(A, B);
    pass(SECOND);
    isReached = false;
    keeper.keeper().ask(1, fetch(), now + SECOND / 10, now);
    pass(SECOND);
    assertEquals(1, keeper.problems().size());
    isReached = true;
    pass(SECOND);
    assertEquals(List.of(), keeper.problems());
  }

  // ---- what others decide --------------------------------------------------------------------

  private Keep keep(long stamp) {
    byte[] key = {1};
    RequestKey request = new RequestKey(3, ++requests);
    DhtVersion version = new DhtVersion(1, requests);
    return new Keep(7, stamp, new Value(id("k"), key, version, key, 0, request));
  }

  @Test
  void whatIsNotOnDiskIsNotKept() {
    begin(B, A);
    hasDisk = true;
    hear(keep(table.assignment(partition("k")).version()));
    assertEquals(List.of(), sent);
    keeper.keeper().durable(appended, now);
    assertEquals(List.of(new Kept(7)), sent);
  }

  @Test
  void whoOwnsItNoMoreDecidesNothing() {
    begin(B, A);
    long former = table.assignment(partition("k")).version();
    place(A, B);
    pass(SECOND);
    long version = table.assignment(partition("k")).version();
    commit(new HandOver(B, 1, List.of(new Part(partition("k"), version))));
    assertEquals(A, table.assignment(partition("k")).owner());
    sent.clear();
    hear(keep(former));
    hear(keep(version));
    assertEquals(List.of(), sent);
  }

  @Test
  void whatIsNotForThisNodeIsNotKept() {
    begin(A, B);
    NodeId third = new NodeId("c");
    commit(joining(new Seat(third, 1), 1));
    targets = List.of(B, third);
    pass(SECOND);
    other = message -> {};
    for (NodeId node : List.of(B, third)) {
      assertTrue(table.assignment(partition("k")).targets().contains(node));
    }
    commit(new Fail(A, 1, B));
    commit(joining(HERE, 1));
    Assignment it = table.assignment(partition("k"));
    assertFalse(it.concerns(A));
    sent.clear();
    hear(keep(it.version()));
    assertEquals(List.of(), sent);
  }

  // ---- copies --------------------------------------------------------------------------------

  /** What is written while it is compared for the last time would not be on it. */
  @Test
  void aCopyIsCompleteWhenWritesHaveWaitedForItSinceBeforeItWasCompared() {
    pass(3 * SECOND);
    assertEquals(16, keeper.serving().size());
    Map<Interval, Integer> compared = new HashMap<>();
    long[] ticket = {0};
    other =
        message -> {
          if (message instanceof Compare compare) {
            int times = compared.merge(compare.interval(), 1, Integer::sum);
            int partition = table.partitionOf(compare.interval().upTo());
            if (times == 2) {
              assertEquals(List.of(A), table.assignment(partition).holders());
            }
            if (times == 2 && partition == partition("k")) {
              ticket[0] = ask(Ask.Kind.STORE, "k");
            }
            hear(new Same(compare.ticket(), true));
          }
        };
    begin(A, B);
    assertEquals(List.of(A, B), table.assignment(0).holders());
    assertEquals(16, compared.size());
    compared.forEach((interval, times) -> assertTrue(times >= 2, interval + " once"));
    assertTrue(ticket[0] > 0);
    assertFalse(answers.containsKey(ticket[0]), "it is not on all holders");
    pass(SECOND);
    hear(new Kept(keeps("k").get(0).ticket()));
    assertEquals(Answer.Code.DONE, answers.get(ticket[0]).code());
  }

  // ---- handing over --------------------------------------------------------------------------

  @Test
  void aPartitionIsNotHandedOverWhileAWriteIsUnderWay() {
    pass(3 * SECOND);
    begin(A, B);
    assertEquals(List.of(A, B), table.assignment(0).holders());
    long ticket = ask(Ask.Kind.STORE, "k");
    place(B, A);
    pass(900 * MILLI);
    assertTrue(isHandedOver((partition("k") + 1) % 16));
    assertFalse(isHandedOver(partition("k")));
    hear(new Kept(keeps("k").get(0).ticket()));
    assertEquals(Answer.Code.DONE, answers.get(ticket).code());
    pass(SECOND);
    assertTrue(isHandedOver(partition("k")));
    assertEquals(B, table.assignment(partition("k")).owner());
  }

  @Test
  void whatIsToBeHandedOverBeginsNothing() {
    pass(3 * SECOND);
    begin(A, B);
    ask(Ask.Kind.STORE, "k");
    place(B, A);
    pass(SECOND);
    int i = 0;
    while (partition("k" + i) != partition("k")) {
      i++;
    }
    String late = "k" + i;
    ask(Ask.Kind.STORE, late);
    pass(SECOND);
    assertEquals(List.of(), keeps(late));
    assertFalse(isHandedOver(partition("k")));
  }
}
