// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.wire.WireFormatException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A claim a test; nodes are named by a letter each, their session is the letter's code. */
class ViewMachineTest {
  private final List<ClusterView> told = new ArrayList<>();
  private final ViewMachine machine = new ViewMachine(told::add);
  private long position;

  @Test
  void toBeginWithThereIsNoView() {
    assertNull(machine.latest());
    assertEquals("0@0", current());
    assertEquals(List.of(), told);
  }

  @Test
  void theFirstRosterMakesTheFirstView() {
    position = 41;
    assertEquals(1, roster(0, "abc"));
    assertEquals("1@42 abc", current());
    assertEquals(List.of(machine.state().view()), told);
  }

  @Test
  void aRosterOfNoLaterSegmentIsIgnored() {
    roster(3, "abc");
    assertEquals(1, roster(3, "ab"));
    assertEquals(1, roster(2, "abcd"));
    assertEquals("1@1 abc", current());
    assertEquals(2, roster(4, "abcd"));
    assertEquals("2@4 abcd", current());
  }

  @Test
  void aLaterSegmentWithTheSameMembersIsTheSameView() {
    roster(0, "abc");
    assertEquals(1, roster(1, "abc"));
    assertEquals(1, machine.state().segment());
    assertEquals("1@1 abc", current());
    assertEquals(1, roster(1, "ab"));
  }

  @Test
  void nobodyIsRemovedOnOneWord() {
    roster(0, "abc");
    assertEquals(1, opinion("a", "c"));
    assertEquals(1, opinion("a", "bc"));
    assertEquals(1, opinion("a", "c"));
    assertEquals("1@1 abc", current());
  }

  @Test
  void twoWordsRemove() {
    roster(0, "abc");
    opinion("a", "c");
    assertEquals(2, opinion("b", "c"));
    assertEquals("2@3 ab -c", current());
  }

  @Test
  void aRemovedOneIsOutUntilTheLastInTheViewTrustsIt() {
    roster(0, "abc");
    opinion("a", "c");
    opinion("b", "c");
    assertEquals(2, opinion("a", ""));
    assertEquals(3, opinion("b", ""));
    assertEquals("3@5 abc", current());
  }

  @Test
  void ofTwoNobodyIsRemoved() {
    roster(0, "ab");
    opinion("a", "b");
    opinion("b", "a");
    assertEquals("1@1 ab", current());
  }

  @Test
  void allThatQualifyLeaveInOneView() {
    roster(0, "abcde");
    opinion("a", "de");
    assertEquals(2, opinion("b", "de"));
    assertEquals("2@3 abc -de", current());
  }

  @Test
  void moreThanHalfStay() {
    roster(0, "abcdef");
    opinion("a", "cdef");
    opinion("b", "cdef");
    assertEquals("2@3 abcd -ef", current());
    opinion("a", "cdf");
    assertEquals("2@3 abcd -ef", current());
    opinion("b", "cdf");
    assertEquals("3@5 abce -df", current());
  }

  @Test
  void whenTwoPartsAccuseEachOtherTheSmallerOneLeaves() {
    roster(0, "abcde");
    opinion("a", "de");
    opinion("d", "abc");
    assertEquals("1@1 abcde", current());
    // Now a, b, c and d, e qualify by turns: d and e are out first, and their words with them.
    opinion("b", "de");
    opinion("e", "abc");
    opinion("c", "de");
    assertEquals("2@4 abc -de", current());
  }

  @Test
  void theMostSuspectedLeavesFirstAndItsWordGoesWithIt() {
    roster(0, "abcd");
    opinion("d", "a");
    opinion("b", "d");
    // Both a and d are suspected by two now.
    opinion("c", "ad");
    assertEquals("2@4 abc -d", current());
  }

  @Test
  void theWordOfARemovedOneDoesNotCount() {
    roster(0, "abcde");
    opinion("a", "e");
    opinion("b", "e");
    opinion("e", "ab");
    opinion("c", "a");
    assertEquals("2@3 abcd -e", current());
    assertEquals(SUSPECTS_NOBODY, machine.state().stances().get(node("e")).suspects());
  }

  @Test
  void whoWasOutHasToSayAnewWhatItThinks() {
    roster(0, "abcde");
    opinion("e", "b");
    opinion("a", "e");
    opinion("b", "e");
    opinion("c", "b");
    assertEquals("2@4 abcd -e", current());
    opinion("a", "");
    opinion("b", "");
    assertEquals("3@7 abcde", current());
    opinion("e", "b");
    assertEquals("4@8 acde -b", current());
  }

  @Test
  void whoWasKeptOutByTheLeavingOneComesBackInTheSameView() {
    roster(0, "abcde");
    opinion("a", "e");
    opinion("b", "e");
    opinion("a", "");
    opinion("c", "b");
    assertEquals("2@3 abcd -e", current());
    assertEquals(3, opinion("d", "b"));
    assertEquals("3@6 acde -b", current());
  }

  @Test
  void whoHadNoRoomToLeaveLeavesWhenAnotherComesBack() {
    roster(0, "abcd");
    opinion("a", "cd");
    opinion("b", "cd");
    assertEquals("2@3 abc -d", current());
    opinion("a", "c");
    assertEquals(3, opinion("b", "c"));
    assertEquals("3@5 abd -c", current());
  }

  @Test
  void strangersNeitherSpeakNorAreSpokenOf() throws IOException {
    roster(0, "abc");
    byte[] before = snapshot(machine);
    opinion("x", "c");
    opinion("y", "c");
    assertArrayEquals(before, snapshot(machine));
    opinion("a", "xy");
    assertEquals(SUSPECTS_NOBODY, machine.state().stances().get(node("a")).suspects());
  }

  @Test
  void nobodyHasAnOpinionOfItself() {
    roster(0, "abc");
    opinion("c", "c");
    opinion("a", "c");
    assertEquals("1@1 abc", current());
  }

  @Test
  void anEarlierLifeIsNotHeardAnyMore() {
    roster(0, "abc");
    opinion("a", "c");
    opinion("b", 7, "");
    assertEquals(1, opinion("b", 6, "c"));
    assertEquals(2, opinion("b", 7, "c"));
    opinion("b", 8, "");
    opinion("b", 7, "c");
    assertEquals("2@5 ab -c", current());
    assertEquals(3, opinion("a", ""), "nobody suspects it any more");
  }

  @Test
  void anEarlierLifeOfARemovedOneIsNotHeardAnyMore() {
    roster(0, "abcd");
    opinion("a", "d");
    opinion("b", "d");
    opinion("d", 7, "c");
    opinion("a", "");
    opinion("b", "");
    opinion("d", 6, "c");
    assertEquals(3, opinion("a", "c"));
    assertEquals(4, opinion("d", 7, "c"));
  }

  @Test
  void whoseSessionEndsKeepsNobodyOut() {
    roster(0, "abcd");
    opinion("a", "d");
    opinion("b", "d");
    opinion("a", "");
    end("a");
    assertEquals("2@3 abc -d", current());
    end("b");
    assertEquals("3@6 abcd", current());
    opinion("a", "d");
    assertEquals("3@6 abcd", current());
    opinion("b", "d");
    assertEquals("4@8 abc -d", current());
  }

  @Test
  void whoLeavesTheClusterIsForgotten() {
    roster(0, "abcde");
    opinion("a", "e");
    opinion("e", "d");
    opinion("b", "e");
    roster(1, "abcd");
    assertEquals("3@5 abcd", current());
    roster(2, "abcde");
    assertEquals("4@6 abcde", current());
    opinion("a", "d");
    assertEquals("4@6 abcde", current());
    assertEquals(5, opinion("e", 1, "d"), "its earlier lives are forgotten, too");
  }

  @Test
  void whenOthersLeaveTheClusterTheLeastSuspectedComeBack() {
    roster(0, "abcdefg");
    opinion("a", "efg");
    opinion("b", "efg");
    opinion("c", "fg");
    assertEquals("2@3 abcd -efg", current());
    roster(1, "abefg");
    assertEquals("3@5 abe -fg", current());
    roster(2, "aefg");
    assertEquals("4@6 aef -g", current());
  }

  @Test
  void aFailingListenerDoesNotChangeTheResult() {
    ViewMachine other =
        new ViewMachine(
            view -> {
              throw new IllegalStateException("not my day");
            });
    ViewRequest roster = new ViewRequest.Roster(0, nodes("abc"));
    byte[] result = other.apply(new Entry(Entry.Kind.COMMAND, 1, 0, 1, roster.encode()));
    assertEquals(0, result.length);
    assertEquals(1, other.state().number());
  }

  @Test
  void whatIsToldNeverGoesBack() throws IOException {
    byte[] none = snapshot(machine);
    roster(0, "abc");
    byte[] early = snapshot(machine);
    opinion("a", "c");
    opinion("b", "c");
    byte[] late = snapshot(machine);
    ClusterView second = machine.latest();
    restore(machine, early);
    assertEquals(1, machine.state().number());
    assertEquals(second, machine.latest());
    restore(machine, none);
    restore(machine, new byte[0]);
    assertEquals(ViewState.EMPTY, machine.state());
    restore(machine, late);
    opinion("b", "");
    opinion("a", "");
    assertEquals(List.of(1L, 2L, 3L), told.stream().map(ClusterView::number).toList());

    List<ClusterView> others = new ArrayList<>();
    restore(new ViewMachine(others::add), late);
    assertEquals(List.of(second), others);
  }

  @Test
  void aCommandThatMakesNoSenseFailsAndChangesNothing() throws IOException {
    roster(0, "abc");
    byte[] before = snapshot(machine);
    for (byte[] command : new byte[][] {{}, {1}, {9, 1}, {3, 1}}) {
      Entry entry = new Entry(Entry.Kind.COMMAND, ++position, 0, 1, command);
      assertThrows(WireFormatException.class, () -> machine.apply(entry));
    }
    assertThrows(IllegalArgumentException.class, () -> machine.query(new byte[] {3, 1}));
    assertThrows(IOException.class, () -> restore(machine, new byte[] {1, 0}));
    assertArrayEquals(before, snapshot(machine));
  }

  private static final SortedMap<NodeId, Long> SUSPECTS_NOBODY = new TreeMap<>();

  private long roster(int segment, String members) {
    return apply('x', new ViewRequest.Roster(segment, nodes(members)));
  }

  private long opinion(String observer, String suspects) {
    return opinion(observer, 5, suspects);
  }

  private long opinion(String observer, long incarnation, String suspects) {
    SortedMap<NodeId, Long> lives = new TreeMap<>();
    nodes(suspects).forEach(node -> lives.put(node, 99L));
    return apply(observer.charAt(0), new ViewRequest.Opinion(node(observer), incarnation, lives));
  }

  private void end(String node) {
    Entry entry = new Entry(Entry.Kind.SESSION_ENDED, ++position, 0, node.charAt(0), new byte[0]);
    assertEquals(0, machine.apply(entry).length);
  }

  private long apply(long session, ViewRequest request) {
    Entry entry = new Entry(Entry.Kind.COMMAND, ++position, 0, session, request.encode());
    assertEquals(0, machine.apply(entry).length);
    return machine.state().number();
  }

  /** Number, position, those in the view, those that are out. */
  private String current() {
    ClusterView view = machine.state().view();
    String members = view.members().isEmpty() ? "" : " " + letters(view.members());
    String removed = view.removed().isEmpty() ? "" : " -" + letters(view.removed());
    return view.number() + "@" + view.position() + members + removed;
  }

  private static String letters(SortedSet<NodeId> nodes) {
    return nodes.stream().map(NodeId::value).collect(Collectors.joining());
  }

  private static NodeId node(String letter) {
    return new NodeId(letter);
  }

  private static SortedSet<NodeId> nodes(String letters) {
    SortedSet<NodeId> nodes = new TreeSet<>();
    letters.chars().forEach(letter -> nodes.add(node(String.valueOf((char) letter))));
    return nodes;
  }

  private static byte[] snapshot(ViewMachine machine) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    machine.snapshot().writeTo(out);
    return out.toByteArray();
  }

  private static void restore(ViewMachine machine, byte[] bytes) throws IOException {
    machine.restore(new ByteArrayInputStream(bytes));
  }
}
