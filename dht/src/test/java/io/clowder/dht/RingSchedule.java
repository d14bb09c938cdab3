// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One history of members that join, leave, fail and come back, with all invariants checked after
 * each event, and peace at its end, in which the ring must become what it should be.
 *
 * <p>What the proof assumes is granted, and no more (Zave, section IV-A): messages are answered in
 * time by who lives, and no failure leaves a member without a live successor, or the ring without r
 * + 1 principals. Both are asked about what members have, and about what they are about to have,
 * since an answer is on its way to them: the proof has each step happen in one moment, and that is
 * the moment in which the other member answers.
 */
final class RingSchedule {
  private static final int NODES_MAX = 14;

  /** What may live here beside our nodes. */
  interface Kind {
    Berth found(RingWorld world, Member me, Founders founders);

    Berth join(RingWorld world, Member me, Berth contact);

    void leave(RingWorld world, Berth seat);

    /** What it takes for granted, if that does not hold. */
    @Nullable String assumption(Invariants invariants);

    /** What it promises, if that does not hold. */
    @Nullable String promise(Invariants invariants);
  }

  static final Kind OURS =
      new Kind() {
        @Override
        public Berth found(RingWorld world, Member me, Founders founders) {
          world.begin(me).found(founders, world.now);
          return seat(world, me);
        }

        @Override
        public Berth join(RingWorld world, Member me, Berth contact) {
          world.join(me, List.of(contact.me()));
          return seat(world, me);
        }

        @Override
        public void leave(RingWorld world, Berth seat) {
          world.node(seat.me()).leave(world.now);
          world.kill(seat);
        }

        @Override
        public @Nullable String assumption(Invariants invariants) {
          return invariants.inductive();
        }

        @Override
        public @Nullable String promise(Invariants invariants) {
          return invariants.violation();
        }

        private Berth seat(RingWorld world, Member me) {
          return Objects.requireNonNull(world.seats.get(me.node()));
        }
      };

  final RingWorld world;
  private final Kind kind;
  private final int steps;
  private long checkedAt = -1;
  int joins;
  int failures;
  int leaves;
  int refused;
  long checks;

  RingSchedule(long seed, Kind kind) {
    RingSettings usual = RingSettings.USUAL;
    int successors = 2 + Math.floorMod(seed, 3);
    world =
        new RingWorld(
            seed,
            new RingSettings(
                successors,
                2,
                100 * RingWorld.MILLI,
                1,
                700 * RingWorld.MILLI,
                1_300 * RingWorld.MILLI,
                5 * RingWorld.SECOND,
                50,
                usual.lookupsMax(),
                usual.rememberedMax()));
    this.kind = kind;
    world.delaySpread = (1 + world.random.nextInt(45)) * RingWorld.MILLI;
    world.isEncoding = Math.floorMod(seed, 16) == 0;
    steps = 20 + world.random.nextInt(30);
    int count = successors + 1 + world.random.nextInt(4);
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add(world.member(i));
    }
    Founders founders = new Founders(members);
    for (Member member : members) {
      kind.found(world, member, founders);
      world.touched(Objects.requireNonNull(member.node()));
    }
    world.after = this::check;
  }

  /** Runs it, and throws an {@link AssertionError} if anything is wrong. */
  RingSchedule run() {
    for (int i = 0; i < steps; i++) {
      step();
      check();
      // Together, one after the other, or with rounds between: from a millisecond to two seconds.
      world.runFor((long) (RingWorld.MILLI * Math.pow(2_000, world.random.nextDouble())));
    }
    int rounds = 3 * world.settings.successors() + 12;
    world.runFor(rounds * world.settings.roundNanosMax());
    String flaw = world.flaw();
    if (flaw != null) {
      throw new AssertionError("after " + rounds + " rounds of peace: " + flaw);
    }
    return this;
  }

  private void step() {
    int choice = world.random.nextInt(10);
    List<Berth> members = world.members();
    if (choice < 5) {
      int node = world.random.nextInt(NODES_MAX);
      Member me = world.member(node);
      if (!world.seats.containsKey(me.node())) {
        joins++;
        kind.join(world, me, world.any(members));
        world.touched(Objects.requireNonNull(me.node()));
      }
      return;
    }
    Berth victim = world.any(new ArrayList<>(world.seats.values()));
    if (!mayGo(victim)) {
      refused++;
    } else if (choice < 9) {
      failures++;
      world.kill(victim);
      world.changes++;
    } else {
      leaves++;
      kind.leave(world, victim);
      world.changes++;
    }
  }

  /** Whether the assumptions still hold when somebody is no more. */
  private boolean mayGo(Berth victim) {
    Map<Member, List<Member>> then = lists();
    then.remove(victim.me());
    return kind.assumption(new Invariants(then, world.settings.successors())) == null;
  }

  /** The extended lists of all members, as they are since the last answer was given. */
  private Map<Member, List<Member>> lists() {
    Map<Member, List<Member>> lists = new HashMap<>();
    for (Berth seat : world.members()) {
      lists.put(seat.me(), Invariants.extended(seat.me(), seat.successors()));
    }
    for (Envelope envelope : world.shown) {
      Berth target = world.seats.get(envelope.target().node());
      if (target != null && target.me().equals(envelope.target())) {
        RingMessage.State state = (RingMessage.State) envelope.message();
        List<Member> coming = target.successorsBy(envelope.source(), state);
        if (coming != null) {
          lists.put(target.me(), Invariants.extended(target.me(), coming));
        }
      }
    }
    return lists;
  }

  private void check() {
    if (world.changes == checkedAt) {
      return;
    }
    checkedAt = world.changes;
    checks++;
    String violation = kind.promise(new Invariants(lists(), world.settings.successors()));
    if (violation != null) {
      throw new AssertionError("at " + world.now + " ns: " + violation);
    }
  }
}
