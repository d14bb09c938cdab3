// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.replication.ConfigCommand.Admit;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Create;
import io.clowder.replication.ConfigCommand.Expel;
import io.clowder.replication.ConfigCommand.Fail;
import io.clowder.replication.ConfigCommand.Force;
import io.clowder.replication.ConfigCommand.Invite;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Report;
import io.clowder.replication.ConfigCommand.Resign;
import io.clowder.replication.ConfigCommand.Stay;
import io.clowder.replication.ConfigCommand.Switchover;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What operators may do, many stores, and snapshots. */
class ConfigOperatorsTest extends OneMachine {
  private static final String GOLDEN =
      "0102" // format, stores
          + "0173" // name
          + "000300" // epoch, version, no primary
          + "0203" // min.insync, replicas
          + "02026e310000000000000001026e320000000000000001" // members
          + "02026e310000000000000001026e320000000000000001" // in sync
          + "00" // eligible
          + "01026e35" // removed
          + "00" // void
          + "01" // reports
          + "1e06010003026e320000000000000001000000000000000701ac0201026e33"
          + "0174"
          + "010301026e310000000000000001000000000000000900"
          + "0101"
          + "01026e310000000000000001"
          + "01026e310000000000000001"
          + "00000000";

  // ---- operators -----------------------------------------------------------------------------

  @Test
  void whoIsTakenForFailedIsALearner() {
    create(2);
    apply(new Fail(at(), N3.node()));
    assertEquals(set(N1, N2), config().insync());
    assertEquals(set(N1, N2, N3), config().members());
    assertEquals(set(), config().eligible());
    assertEquals(N1, config().primary());
    assertRefused(new Fail(at(), N3.node()));
    assertRefused(new Fail(at(), new NodeId("n4")));
    apply(new Fail(at(), N2.node()));
    assertEquals(set(N2), config().eligible(), "nothing is acknowledged now");
    assertRefused(new Fail(at(), N1.node()));
  }

  @Test
  void aPrimaryThatIsTakenForFailedIsNoneAndAnotherIsElected() {
    create(2);
    apply(new Fail(at(), N1.node()));
    assertNull(config().primary());
    assertEquals(1, config().epoch());
    assertEquals(set(N2, N3), config().insync());
    report(N1, 9, 9);
    report(N2, 1, 1);
    report(N3, 1, 2);
    assertEquals(N3, config().primary());
    assertEquals(2, config().epoch());
    assertEquals(set(N2, N3), config().insync());
  }

  @Test
  void whoIsTakenAwayDoesNotComeBackByItself() {
    create(1);
    apply(new Expel(at(), N3.node()));
    assertEquals(set(N1, N2), config().members());
    assertEquals(set(N1, N2), config().insync());
    assertEquals(nodes(N3), config().removed());
    assertEquals(N1, config().primary());
    assertEquals(1, config().epoch());
    assertRefused(new Admit(at(), N3));
    assertRefused(new Admit(at(), replica(3, 2)));
    apply(new Invite(at(), N3.node()));
    assertEquals(nodes(), config().removed());
    assertEquals(set(N1, N2), config().members());
    apply(new Admit(at(), N3));
    assertEquals(set(N1, N2, N3), config().members());
    assertEquals(set(N1, N2), config().insync(), "it is a learner");
  }

  @Test
  void nobodyIsTakenAwayWithoutWhomTooFewWereLeft() {
    create(2);
    assertRefused(new Expel(at(), N1.node()));
    remove(N3);
    assertRefused(new Expel(at(), N2.node()));
    apply(new Expel(at(), N3.node()));
    assertEquals(set(N1, N2), config().members());
    apply(new Expel(at(), new NodeId("n4")));
    assertEquals(nodes(N3, replica(4, 1)), config().removed(), "it is kept out");
  }

  @Test
  void whoIsNotNeededBelowMinInsyncMayBeTakenAway() {
    create(3);
    remove(N3);
    remove(N2);
    apply(new Expel(at(), N3.node()));
    assertEquals(set(N2), config().eligible());
    apply(new Resign(at(), N1, life(N1) + 1));
    assertRefused(new Expel(at(), N1.node()));
    apply(new Expel(at(), N2.node()));
    assertEquals(set(N1), config().insync());
    assertRefused(new Expel(at(), N1.node()));
  }

  @Test
  void theLastWhoHasAllIsNotTakenAwayThoughItIsNotInSync() {
    create(2);
    remove(N3);
    remove(N2);
    apply(new Admit(at(), replica(1, 2)));
    assertEquals(set(), config().insync());
    assertEquals(set(N2), config().eligible());
    assertRefused(new Expel(at(), N2.node()));
  }

  @Test
  void onlySoManyTakePartWithoutBeingAsked() {
    create(1);
    ReplicaId fourth = replica(4, 1);
    assertRefused(new Admit(at(), fourth));
    apply(new Invite(at(), fourth.node()));
    assertEquals(4, config().replicas());
    apply(new Admit(at(), fourth));
    assertEquals(set(N1, N2, N3, fourth), config().members());
    assertRefused(new Admit(at(), fourth));
    assertRefused(new Admit(at(), replica(5, 1)));
    apply(new Expel(at(), N3.node()));
    apply(new Admit(at(), replica(5, 1)));
    assertEquals(4, config().members().size());
  }

  @Test
  void thereIsALimitToReplicasAndToNodesThatAreKeptOut() {
    create(1);
    for (int i = 4; i <= StoreConfig.MEMBERS_MAX; i++) {
      apply(new Invite(at(), replica(i, 1).node()));
      apply(new Admit(at(), replica(i, 1)));
    }
    assertEquals(StoreConfig.MEMBERS_MAX, config().members().size());
    ReplicaId tooMany = replica(99, 1);
    apply(new Invite(at(), tooMany.node()));
    assertEquals(StoreConfig.MEMBERS_MAX, config().replicas());
    assertRefused(new Admit(at(), tooMany));
    for (int i = 0; i < StoreConfig.NODES_MAX; i++) {
      apply(new Expel(at(), new NodeId("x" + i)));
    }
    assertEquals(StoreConfig.NODES_MAX, config().removed().size());
    assertRefused(new Expel(at(), N3.node()));
  }

  @Test
  void whoIsForcedIsAloneInANewEpoch() {
    create(2);
    remove(N3);
    apply(new Force(at(), N3, 77));
    assertEquals(N3, config().primary());
    assertEquals(77, config().life());
    assertEquals(2, config().epoch());
    assertEquals(set(N3), config().insync());
    assertEquals(set(), config().eligible(), "they may have what it lacks, and are to lose it");
    assertEquals(set(N3), config().members());
    assertEquals(set(N1, N2), config().voided(), "they may have applied what it lacks");
    assertRefused(new Admit(at(), N1));
    assertRefused(new Force(at(), N1, 78));
    apply(new Admit(at(), replica(1, 2)));
    assertEquals(set(replica(1, 2), N3), config().members());
    assertFalse(config().isReleased());
  }

  @Test
  void whoeverIsLeftMayBeForcedThoughNobodyKnowsIt() {
    create(2);
    apply(new Force(at(), replica(3, 2), 77));
    assertEquals(set(replica(3, 2)), config().members());
    assertEquals(set(N1, N2, N3), config().voided());
  }

  @Test
  void whoStaysMakesWhatItAskedForVoid() {
    create(1);
    At before = at();
    assertRefused(new Stay(at(), N1, life(N1) + 1));
    assertRefused(new Stay(at(), N2, life(N2)));
    apply(new Stay(at(), N1, life(N1)));
    assertEquals(new At(1, before.version() + 1), at());
    assertRefused(new Switchover(before, N1, life(N1), N2, 7, true));
    assertEquals(set(N1, N2, N3), config().insync());
  }

  @Test
  void aReleaseIsOfOneEpoch() {
    create(1);
    apply(new Switchover(at(), N1, life(N1), N2, life(N2), true));
    assertTrue(config().isReleased());
    apply(new Remove(at(), N2, life(N2), N3));
    assertTrue(config().isReleased());
    report(N1, 2, 2, N2);
    assertEquals(N1, config().primary());
    assertFalse(config().isReleased(), "the second may serve still");
    apply(new Switchover(at(), N1, life(N1), N1, life(N1), false));
    assertFalse(config().isReleased());
  }

  // ---- many stores ---------------------------------------------------------------------------

  private void create(String store) {
    apply(store, new Create(1, 3, set(N1, N2, N3)));
    At at = new At(0, 1);
    for (ReplicaId by : List.of(N1, N2, N3)) {
      StoreConfig config = apply(store, new Report(at, by, life(by), 0, 0, nodes()));
      at = At.of(config);
    }
  }

  private NodeId primary(String store) {
    return ConfigMachine.decode(machine.query(store.getBytes(StandardCharsets.UTF_8)))
        .primary()
        .node();
  }

  @Test
  void primariesAreSpread() {
    create("a");
    create("b");
    create("c");
    create("d");
    assertEquals(
        nodes(N1, N2, N3), new TreeSet<>(List.of(primary("a"), primary("b"), primary("c"))));
    assertEquals(primary("a"), primary("d"));
  }

  @Test
  void theLogCountsBeforeTheLoad() {
    create("a");
    NodeId loaded = primary("a");
    apply(new Create(1, 3, set(N1, N2, N3)));
    for (ReplicaId by : List.of(N1, N2, N3)) {
      apply(new Report(at(), by, life(by), 0, by.node().equals(loaded) ? 1 : 0, nodes()));
    }
    assertEquals(loaded, config().primary().node());
  }

  @Test
  void aStoreIsMadeOnceOfSomethingSound() {
    assertNull(apply(new Create(1, 3, set())));
    assertNull(apply(new Create(1, 2, set(N1, N2, N3))));
    assertNull(apply(new Create(4, 3, set(N1, N2, N3))));
    assertNull(apply(new Resign(new At(0, 1), N1, 1)));
    apply(new Create(3, 3, set(N1)));
    assertEquals(set(N1), config().insync());
    assertEquals(3, config().replicas());
    assertRefused(new Create(1, 3, set(N1)));
    for (int i = 1; i < ConfigMachine.STORES; i++) {
      apply("s" + i, new Create(1, 1, set(N1)));
    }
    assertNull(apply("more", new Create(1, 1, set(N1))));
  }

  @Test
  void whoListensHearsEachChangeAndAllAfterARestore() throws IOException {
    create("a");
    assertEquals(List.of("a@1", "a@3"), heard);
    apply("a", new Resign(new At(1, 3), N1, 99));
    apply("a", new Resign(new At(1, 3), N1, 99));
    apply("b", new Create(1, 1, set(N2)));
    byte[] bytes = bytes(machine);
    heard.clear();
    machine.restore(new ByteArrayInputStream(bytes));
    assertEquals(2, heard.size());
    assertTrue(heard.get(0).startsWith("a@"));
    assertEquals("b@1", heard.get(1));
  }

  @Test
  void whatIsNoCommandDoesNothing() {
    create(1);
    StoreConfig before = config();
    heard.clear();
    assertEquals(
        0,
        machine.apply(
                new Entry(
                    Entry.Kind.COMMAND, 9, 0, 1, ConfigMachine.encode("x", new Stay(at(), N1, 1))))
            .length);
    assertEquals(before, config());
    assertEquals(List.of(), heard);
  }

  // ---- snapshots -----------------------------------------------------------------------------

  /** What is written today is read for ever. */
  @Test
  void theBytesOfASnapshot() throws IOException {
    apply("s", new Create(2, 3, set(N1, N2)));
    apply("s", new Invite(at(), replica(4, 1).node()));
    apply("s", new Expel(at(), new NodeId("n5")));
    apply("s", new Report(at(), N2, 7, 1, 300, nodes(N3)));
    apply("t", new Create(1, 1, set(N1)));
    apply("t", new Report(new At(0, 1), N1, 9, 0, 0, nodes()));
    byte[] bytes = bytes(machine);
    assertEquals(GOLDEN, HexFormat.of().formatHex(bytes));
    ConfigMachine other = new ConfigMachine((store, config) -> {});
    other.restore(new ByteArrayInputStream(HexFormat.of().parseHex(GOLDEN)));
    assertArrayEquals(bytes, bytes(other));
  }

  @Test
  void aDamagedSnapshotIsRefusedAndChangesNothing() throws IOException {
    create(1);
    byte[] before = bytes(machine);
    byte[] golden = HexFormat.of().parseHex(GOLDEN);
    for (int length = 1; length < golden.length; length++) {
      byte[] part = Arrays.copyOf(golden, length);
      assertThrows(IOException.class, () -> machine.restore(new ByteArrayInputStream(part)));
    }
    golden[0] = 2;
    assertThrows(IOException.class, () -> machine.restore(new ByteArrayInputStream(golden)));
    assertArrayEquals(before, bytes(machine));
  }
}
