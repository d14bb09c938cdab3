// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.dht.TableCommand.Copy;
import io.clowder.dht.TableCommand.Fail;
import io.clowder.dht.TableCommand.HandOver;
import io.clowder.dht.TableCommand.Held;
import io.clowder.dht.TableCommand.Join;
import io.clowder.dht.TableCommand.Leave;
import io.clowder.dht.TableCommand.Part;
import io.clowder.dht.TableCommand.Place;
import io.clowder.dht.TableCommand.Remove;
import io.clowder.dht.TableMember.State;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Each rule, by the first partition of a small ring; all others have the same. */
class TableChangeTest {
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final NodeId C = new NodeId("c");
  private static final NodeId D = new NodeId("d");

  private final TableSettings settings = new TableSettings(16, 2, "SHA-1");
  private Table table = Table.empty(settings);

  private void accept(TableCommand command) {
    TableChange.Outcome outcome = TableChange.of(table, command);
    assertEquals("", outcome.refusal());
    if (!outcome.table().equals(table)) {
      assertEquals(table.epoch() + 1, outcome.table().epoch());
    }
    table = outcome.table();
  }

  private void refuse(TableCommand command) {
    TableChange.Outcome outcome = TableChange.of(table, command);
    assertFalse(outcome.isAccepted(), command.toString());
    assertSame(table, outcome.table());
  }

  private Join joining(NodeId node, long life) {
    TableMember known = table.member(node);
    return new Join(node, life, known == null ? 0 : known.life(), "", 1, settings);
  }

  private void join(NodeId... nodes) {
    for (NodeId node : nodes) {
      accept(joining(node, 1));
    }
  }

  private Place placing(NodeId... targets) {
    return new Place(A, table.epoch(), Collections.nCopies(16, Arrays.asList(targets)));
  }

  private void place(NodeId... targets) {
    accept(placing(targets));
  }

  private Assignment first() {
    return table.assignment(0);
  }

  private Held holding(NodeId by, NodeId... nodes) {
    List<Copy> copies = Arrays.stream(nodes).map(it -> new Copy(0, first().version(), it)).toList();
    return new Held(by, 1, copies);
  }

  private HandOver handingOver(NodeId by) {
    return new HandOver(by, 1, List.of(new Part(0, first().version())));
  }

  private void assertFirst(List<NodeId> holders, List<NodeId> targets) {
    assertEquals(holders, first().holders(), "holders");
    assertEquals(targets, first().targets(), "targets");
  }

  private static List<NodeId> list(NodeId... nodes) {
    return Arrays.asList(nodes);
  }

  @Test
  void theFirstPlacementIsOfEmptyPartitions() {
    join(A, B);
    assertFirst(list(), list());
    assertNull(first().owner());
    assertTrue(table.isPlacementDue());
    place(A, B);
    assertFirst(list(A, B), list(A, B));
    assertFalse(table.isPlacementDue());
    assertTrue(first().isReleased());
    assertTrue(first().isSettled());
    assertEquals(table.epoch(), first().ownerSince());
    assertEquals(table.epoch(), first().version());
  }

  @Test
  void whatChangesNothingIsNoEpoch() {
    join(A, B);
    place(A, B);
    long epoch = table.epoch();
    join(B);
    place(A, B);
    assertEquals(epoch, table.epoch());
    assertFalse(table.isPlacementDue());
  }

  @Test
  void anOwnerThatComesBackBeginsAnew() {
    join(A, B);
    place(A, B);
    long before = table.epoch();
    join(A);
    assertEquals(before + 1, table.epoch());
    assertFirst(list(A, B), list(A, B));
    assertEquals(table.epoch(), first().ownerSince());
    assertEquals(table.epoch(), first().version());
    assertTrue(first().isReleased());
  }

  @Test
  void aNodeMaySayThatItFailsItself() {
    join(A, B);
    place(A, B);
    accept(new Fail(A, 1, A));
    assertFirst(list(B), list(B));
    // It may have served until a moment ago.
    assertFalse(first().isReleased());
    refuse(new Fail(A, 1, A));
  }

  @Test
  void otherSettingsAreRefused() {
    join(A);
    refuse(new Join(B, 1, 0, "", 1, new TableSettings(32, 2, "SHA-1")));
    refuse(new Join(A, 1, 0, "", 1, new TableSettings(16, 2, "SHA-256")));
  }

  @Test
  void weightAndDomainMayChange() {
    join(A, B);
    place(A, B);
    accept(new Join(B, 1, 0, "r1", 9, settings));
    assertEquals(new TableMember(B, 1, "r1", 9, State.MEMBER), table.member(B));
    assertTrue(table.isPlacementDue());
    assertFirst(list(A, B), list(A, B));
  }

  @Test
  void aPlacementIsOfThisEpochAndWhole() {
    join(A, B, C);
    refuse(placing(A));
    refuse(placing(A, A));
    refuse(placing(A, D));
    refuse(placing(A, B, C));
    refuse(new Place(A, table.epoch(), Collections.nCopies(15, list(A, B))));
    refuse(new Place(A, table.epoch() - 1, Collections.nCopies(16, list(A, B))));
    refuse(new Place(D, table.epoch(), Collections.nCopies(16, list(A, B))));
    place(A, B);
    accept(new Leave(B, 1));
    refuse(placing(A, B));
    place(A, C);
  }

  @Test
  void aJoinerHoldsByTheOwnersWordOnly() {
    join(A, B, C);
    place(A, B);
    refuse(holding(A, C));
    place(A, C);
    assertFirst(list(A, B), list(A, C));
    assertEquals(list(C), first().joining());
    refuse(holding(B, C));
    refuse(holding(C, C));
    refuse(new Held(A, 2, holding(A, C).copies()));
    refuse(new Held(A, 1, List.of(new Copy(0, first().version() - 1, C))));
    refuse(new Held(A, 1, List.of(new Copy(16, first().version(), C))));
    refuse(holding(A, D));
    refuse(holding(A, B));
    long since = first().ownerSince();
    accept(holding(A, C));
    assertFirst(list(A, C), list(A, C));
    assertEquals(since, first().ownerSince());
    assertEquals(table.epoch(), first().version());
    assertFirst(list(A, C), list(A, C));
    assertEquals(list(A, B), table.assignment(1).holders(), "the others are as before");
  }

  @Test
  void anotherOwnerNeedsTheOneBeforeToStop() {
    join(A, B, C, D);
    place(A, B);
    place(C, D);
    refuse(handingOver(A));
    accept(holding(A, C));
    assertFirst(list(A, C), list(C, D));
    refuse(handingOver(A));
    accept(holding(A, D));
    assertFirst(list(A, C, D), list(C, D));
    refuse(handingOver(C));
    refuse(new HandOver(A, 2, List.of(new Part(0, first().version()))));
    refuse(new HandOver(A, 1, List.of(new Part(0, first().version() - 1))));
    accept(handingOver(A));
    assertFirst(list(C, D), list(C, D));
    assertTrue(first().isReleased());
    assertEquals(table.epoch(), first().ownerSince());
  }

  @Test
  void severalCopiesOfOnePartitionComeAtOnce() {
    join(A, B, C, D);
    place(A, B);
    place(C, D);
    accept(holding(A, C, D));
    assertFirst(list(A, C, D), list(C, D));
  }

  @Test
  void ownershipGoesToAHolderAtOnceWithoutCopying() {
    join(A, B);
    place(A, B);
    place(B, A);
    assertFirst(list(A, B), list(B, A));
    accept(handingOver(A));
    assertFirst(list(B, A), list(B, A));
    assertTrue(first().isReleased());
  }

  @Test
  void whoFailsHasNothingAnyMore() {
    join(A, B, C);
    place(A, B);
    refuse(new Fail(A, 1, D));
    refuse(new Fail(A, 2, B));
    accept(new Fail(A, 1, B));
    assertFirst(list(B), list(B));
    assertNull(table.member(A), "nothing is left of it");
    assertFalse(first().isReleased());
    assertEquals(table.epoch(), first().ownerSince());
    assertEquals(0, first().lost());
    assertTrue(table.isPlacementDue());
    refuse(new Fail(B, 1, A));
  }

  @Test
  void theLastCopyIsWaitedFor() {
    join(A, B, C);
    place(A, B);
    accept(new Fail(B, 1, A));
    accept(new Fail(A, 1, C));
    assertFirst(list(A), list());
    assertEquals(State.FAILED, table.member(A).state());
    refuse(new Fail(C, 1, A));
    refuse(placing(C));
    accept(new Place(C, table.epoch(), Collections.nCopies(16, list(C))));
    assertFirst(list(A), list(C));
    refuse(holding(A, C));
    join(A);
    assertEquals(State.MEMBER, table.member(A).state());
    assertFirst(list(A), list(C));
    refuse(holding(C, C));
    accept(holding(A, C));
    assertFirst(list(A, C), list(C));
    refuse(handingOver(A));
    place(C, A);
    accept(handingOver(A));
    assertFirst(list(C, A), list(C, A));
    assertEquals(0, first().lost());
  }

  @Test
  void anotherLifeHasNothing() {
    join(A, B);
    place(A, B);
    accept(joining(A, 2));
    assertFirst(list(B), list(B));
    assertFalse(first().isReleased());
    assertEquals(0, first().lost());
    assertEquals(2, table.member(A).life());
    assertTrue(table.isPlacementDue());
    accept(joining(B, 2));
    assertFirst(list(), list());
    assertTrue(first().lost() > 0);
    place(B, A);
    assertFirst(list(B, A), list(B, A));
    assertFalse(first().isReleased(), "nobody knows whether the one before still serves");
  }

  /** Lives are drawn by chance, so that it is not the larger one that is the later. */
  @Test
  void aLateJoinOfAFormerLifeVoidsNothing() {
    Join first = joining(A, 7);
    accept(first);
    accept(joining(B, 1));
    place(A, B);
    Join second = joining(A, 3);
    Join third = joining(A, 5);
    accept(third);
    place(A, B);
    accept(holding(B, A));
    accept(new Fail(B, 1, A));
    assertFirst(list(A), list(A));
    refuse(first);
    refuse(second);
    accept(third);
    assertEquals(5, Objects.requireNonNull(table.member(A)).life());
    assertEquals(0, first().lost());
    assertFirst(list(A), list(A));
  }

  @Test
  void aJoinerOfAnotherLifeMustBeCopiedToAgain() {
    join(A, B, C);
    place(A, B);
    place(A, C);
    Held late = holding(A, C);
    accept(joining(C, 2));
    assertFirst(list(A, B), list(A));
    place(A, C);
    refuse(late);
    assertFirst(list(A, B), list(A, C));
  }

  @Test
  void whatIsLostStartsAnewWhereItWasToGo() {
    join(A, B, C);
    place(A, B);
    accept(new Fail(B, 1, A));
    place(A, C);
    accept(joining(A, 2));
    assertFirst(list(C), list(C));
    assertTrue(first().lost() > 0);
    assertFalse(first().isReleased());
  }

  @Test
  void anOperatorGivesTheLastCopyUp() {
    join(A, B);
    refuse(new Remove(A));
    refuse(new Remove(D));
    place(A, B);
    accept(new Fail(B, 1, A));
    join(C);
    accept(new Fail(A, 1, C));
    accept(new Place(C, table.epoch(), Collections.nCopies(16, list(C))));
    accept(new Remove(A));
    assertFirst(list(C), list(C));
    assertTrue(first().lost() > 0);
    assertFalse(first().isReleased());
    assertNull(table.member(A));
    join(A);
    assertTrue(first().holders().equals(list(C)), "it has nothing when it comes back");
  }

  @Test
  void whoLeavesIsAMemberUntilOthersHaveAll() {
    join(A, B, C);
    place(A, B);
    refuse(new Leave(A, 2));
    refuse(new Leave(D, 1));
    accept(new Leave(C, 1));
    assertNull(table.member(C), "had nothing");
    accept(new Leave(A, 1));
    assertFirst(list(A, B), list(A, B));
    assertEquals(State.LEAVING, table.member(A).state());
    join(C);
    place(C, B);
    accept(holding(A, C));
    assertFirst(list(A, B, C), list(C, B));
    accept(handingOver(A));
    assertFirst(list(C, B), list(C, B));
    assertEquals(State.LEAVING, table.member(A).state(), "has the other partitions");
    for (int i = 1; i < 16; i++) {
      accept(new Held(A, 1, List.of(new Copy(i, table.assignment(i).version(), C))));
      accept(new HandOver(A, 1, List.of(new Part(i, table.assignment(i).version()))));
    }
    assertNull(table.member(A));
  }

  /** With a copy too few of the target's, one of those that are to go is not given up. */
  @Test
  void aFailureOnTheWayCostsNoCopy() {
    join(A, B, C, D);
    place(A, B);
    place(C, B);
    accept(new Fail(C, 1, A));
    assertFirst(list(A, B), list(B));
    refuse(handingOver(A));
    place(B, D);
    accept(holding(A, D));
    assertFirst(list(A, B, D), list(B, D));
    accept(handingOver(A));
    assertFirst(list(B, D), list(B, D));
  }

  @Test
  void theHeirIsWhoIsToOwnIt() {
    join(A, B, C, D);
    place(A, B);
    place(C, D);
    accept(holding(A, C));
    place(D, C);
    accept(new Fail(A, 1, B));
    assertFirst(list(C), list(D, C));
    assertFalse(first().isReleased());
  }

  @Test
  void membersHaveALimit() {
    for (int i = 0; i < Table.MEMBERS_MAX; i++) {
      accept(joining(new NodeId("n" + i), 1));
    }
    refuse(joining(A, 1));
    accept(joining(new NodeId("n7"), 2));
  }
}
