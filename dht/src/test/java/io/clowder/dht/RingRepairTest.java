// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Rings that are broken in ways that the proof does not cover, and become whole again. */
class RingRepairTest {
  private static final int MINUTE = 60;

  private static RingWorld world(long seed, int count, int successors) {
    return new RingWorld(seed, RingSettings.USUAL.withSuccessors(successors)).found(count);
  }

  @Test
  void aRingThatLosesHalfOfItsMembersAtOnceIsRepaired() {
    int most = 0;
    for (long seed = 1; seed <= 5; seed++) {
      RingWorld world = world(seed, 256, 16);
      for (int i = 0; i < 128; i++) {
        world.kill(world.any(world.members()));
      }
      // Zave's bound on rounds is r + log2 N; here a round takes 1.25 s at most, and to give a dead
      // member up takes 0.9 s.
      most = Math.max(most, world.secondsUntilIdeal(MINUTE));
      assertAllFound(world, 50);
    }
    System.out.printf("half of 256 members lost: a whole ring after at most %d s%n", most);
  }

  /** The papers' size, with the papers' lists. */
  @Test
  void soIsARingOfAThousand() {
    RingWorld world = world(1, 1_000, 20);
    for (int i = 0; i < 500; i++) {
      world.kill(world.any(world.members()));
    }
    int seconds = world.secondsUntilIdeal(MINUTE);
    System.out.printf("half of 1000 members lost: a whole ring after %d s%n", seconds);
    assertAllFound(world, 50);
  }

  private static void assertAllFound(RingWorld world, int lookups) {
    Founders circle = new Founders(world.members().stream().map(Berth::me).toList());
    for (int i = 0; i < lookups; i++) {
      Identifier key = world.point();
      long ticket = world.lookup(world.any(world.members()).me(), key, false);
      world.runFor(5 * RingWorld.SECOND);
      Located answer = world.found.get(ticket);
      assertNotNull(answer, "of " + key);
      assertEquals(circle.get(circle.placeFrom(key)), answer.owner());
    }
  }

  /** Any half against the other, for ten minutes; each goes on as a ring. */
  @Test
  void aRingThatWasPartitionedIsOneAgain() {
    int most = 0;
    for (long seed = 1; seed <= 10; seed++) {
      RingWorld world = world(seed, 40, 8);
      Set<Member> left = new HashSet<>();
      for (Berth seat : world.members()) {
        if (world.random.nextBoolean()) {
          left.add(seat.me());
        }
      }
      most = Math.max(most, partition(world, left));
    }
    System.out.printf("halves at random: one ring after at most %d s%n", most);
  }

  /** One half of the circle against the other: at its end there are no live successors. */
  @Test
  void aRingThatWasCutInTwoArcsIsOneAgain() {
    int most = 0;
    for (long seed = 1; seed <= 10; seed++) {
      RingWorld world = world(seed, 40, 8);
      Founders circle = new Founders(world.members().stream().map(Berth::me).toList());
      most = Math.max(most, partition(world, new HashSet<>(circle.from((int) seed, 20))));
    }
    System.out.printf("halves of the circle: one ring after at most %d s%n", most);
  }

  /** Neither side has as many members as successor lists are long. */
  @Test
  void aSmallRingThatWasPartitionedIsOneAgain() {
    int most = 0;
    for (long seed = 1; seed <= 20; seed++) {
      RingWorld world = world(seed, 8, 5);
      Founders circle = new Founders(world.members().stream().map(Berth::me).toList());
      Set<Member> left = new HashSet<>(circle.from(0, 1 + (int) seed % 4));
      if (seed % 2 == 0) {
        left.add(circle.get(6));
      }
      most = Math.max(most, partition(world, left));
    }
    System.out.printf("eight members: one ring after at most %d s%n", most);
  }

  /** Cuts these off for ten minutes, and gives the seconds until there is one ring again. */
  private static int partition(RingWorld world, Set<Member> left) {
    Set<NodeId> leftNodes = new HashSet<>();
    left.forEach(it -> leftNodes.add(Objects.requireNonNull(it.node())));
    world.isCut = (source, target) -> leftNodes.contains(source) != leftNodes.contains(target);
    world.runFor(10 * MINUTE * RingWorld.SECOND);
    List<Berth> here = new ArrayList<>(world.members());
    here.removeIf(it -> !left.contains(it.me()));
    List<Berth> there = new ArrayList<>(world.members());
    there.removeIf(it -> left.contains(it.me()));
    assertNull(world.flaw(here), "one side by itself");
    assertNull(world.flaw(there), "the other side by itself");
    assertNotNull(world.flaw(), "the partition did no harm");
    world.isCut = (source, target) -> false;
    int seconds = world.secondsUntilIdeal(MINUTE);
    assertAllFound(world, 20);
    return seconds;
  }

  /** The dead are told from the silent by nothing but silence: so the living are taken for dead. */
  @Test
  void aRingIsWholeAgainAfterALossyTime() {
    for (long seed = 1; seed <= 10; seed++) {
      RingWorld world = world(seed, 30, 6);
      world.loss = 0.3;
      world.runFor(2 * MINUTE * RingWorld.SECOND);
      assertTrue(world.changes > 60, world.changes + ": the losses did no harm");
      world.loss = 0;
      world.secondsUntilIdeal(MINUTE);
      assertAllFound(world, 20);
    }
  }

  /**
   * All answers come later than a lookup waits for them: it is sent on twice from every hop, by who
   * is slow and round it. That once made four million messages out of a few hundred lookups.
   */
  @Test
  void slownessRaisesNoStorm() {
    long most = 0;
    for (long seed = 1; seed <= 5; seed++) {
      RingWorld world = world(seed, 30, 3);
      world.runFor(5 * RingWorld.SECOND);
      long before = world.messages;
      world.runFor(MINUTE * RingWorld.SECOND);
      long usual = world.messages - before;
      world.delaySpread = 700 * RingWorld.MILLI;
      before = world.messages;
      world.runFor(MINUTE * RingWorld.SECOND);
      long slow = world.messages - before;
      most = Math.max(most, slow / usual);
      assertTrue(slow < 20 * usual, slow + " messages, not " + usual);
      world.delaySpread = RingWorld.MILLI;
      world.secondsUntilIdeal(MINUTE);
    }
    System.out.printf("where all are slow: at most %d times as many messages%n", most);
  }

  /** A member that hears nobody, or that nobody hears. */
  @Test
  void aRingIsWholeAgainAfterOneWayFaults() {
    for (long seed = 1; seed <= 10; seed++) {
      RingWorld world = world(seed, 20, 6);
      NodeId deaf = world.any(world.members()).me().node();
      NodeId mute = world.any(world.members()).me().node();
      world.isCut = (source, target) -> target.equals(deaf) || source.equals(mute);
      world.runFor(MINUTE * RingWorld.SECOND);
      assertNotNull(world.flaw());
      world.isCut = (source, target) -> false;
      world.secondsUntilIdeal(MINUTE);
    }
  }

  /** Two rings that never knew of each other become one by one introduction. */
  @Test
  void twoRingsThatAreIntroducedBecomeOne() {
    int most = 0;
    for (long seed = 1; seed <= 5; seed++) {
      RingWorld world = new RingWorld(seed, RingSettings.USUAL.withSuccessors(6));
      List<Member> first = new ArrayList<>();
      List<Member> second = new ArrayList<>();
      for (int i = 0; i < 150; i++) {
        (i % 3 == 0 ? first : second).add(world.member(i));
      }
      for (List<Member> ring : List.of(first, second)) {
        Founders founders = new Founders(ring);
        for (Member member : ring) {
          world.begin(member).found(founders, world.now);
          world.touched(Objects.requireNonNull(member.node()));
        }
      }
      world.runFor(5 * RingWorld.SECOND);
      assertNotNull(world.flaw(), "two rings");
      world.node(first.get(0)).introduce(second.get(0).anyLife(), world.now);
      // Round by round, by stabilization alone, it would take 50 s.
      most = Math.max(most, world.secondsUntilIdeal(20));
    }
    System.out.printf("a ring of 50 and one of 100: one ring after at most %d s%n", most);
  }
}
