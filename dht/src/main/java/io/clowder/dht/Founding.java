// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How nodes that are on no ring come to be on one. Zave's proof wants a ring to begin with r + 1
 * members that know each other's lives: so those that are to found one say again and again that
 * they are here, and whom they see. Who sees all of them, or most of them for a while, and hears
 * from each that it sees the same, begins; most of them, so that there is one ring and not two. If
 * one of them is on a ring already, the others join that. Pure.
 */
final class Founding {
  /** After how long without a word somebody is not here. */
  private static final long FRESH_NANOS = 2_000_000_000L;

  /** How long all are waited for, before most are enough. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  /** For how long after it was begun a ring takes those for members who have not begun yet. */
  private static final long BEGINNING_MILLIS = 1_000;

  /**
   * That a node is here.
   *
   * @param charter what is set on it
   * @param founders of the ring that it is on; or those that it sees, if it would found one with
   *     them
   * @param ageMillis how long ago that ring was begun, as far as this node knows
   */
  record Here(
      Member member, boolean isOnRing, Charter charter, List<Member> founders, long ageMillis) {
    private static final int FOUNDERS_MAX = 1_000;

    Here {
      founders = List.copyOf(founders);
    }

    void write(WireWriter out) {
      member.write(out);
      charter.write(out);
      out.writeBoolean(isOnRing).writeVarLong(ageMillis).writeVarLong(founders.size());
      founders.forEach(it -> it.write(out));
    }

    static Here read(WireReader in) {
      Member member = Member.read(in);
      Charter charter = Charter.read(in);
      boolean isOnRing = in.readBoolean();
      long age = in.readVarLong();
      int count = in.readCount();
      if (count > FOUNDERS_MAX) {
        throw new WireFormatException(count + " founders");
      }
      List<Member> founders = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        founders.add(Member.read(in));
      }
      in.expectEnd();
      return new Here(member, isOnRing, charter, founders, age);
    }
  }

  /** What is to be done. */
  sealed interface Step {
    /** Begin a ring, with these. */
    record Found(List<Member> founders) implements Step {}

    /** Join the ring that this one is on. */
    record Join(Member contact) implements Step {}

    /** Come back in another life: this one is taken for dead. */
    record Reborn() implements Step {}
  }

  private record Heard(Here here, long at) {}

  private final Member me;
  private final List<NodeId> founders;
  private final Charter charter;
  private final int least;
  private final long since;
  private final SortedMap<NodeId, Heard> heard = new TreeMap<>();

  /**
   * Of a node that may be a founder, or not.
   *
   * @param founders the same on all of them
   * @param charter the same on all of them, too; whoever has another one is not heard here
   */
  Founding(Member me, List<NodeId> founders, Charter charter, long now) {
    this.me = me;
    this.founders = List.copyOf(founders);
    this.charter = charter;
    this.least = Math.max(charter.foundersMin(), founders.size() / 2 + 1);
    this.since = now;
  }

  /** How many nodes found a ring at least. */
  int least() {
    return least;
  }

  /** What this node says to the founders. */
  Here here(long now) {
    return new Here(me, false, charter, proposal(now), 0);
  }

  /** Those that this node would found a ring with now; none if they are too few. */
  private List<Member> proposal(long now) {
    NodeId self = me.node();
    if (self == null || !founders.contains(self)) {
      return List.of();
    }
    SortedMap<NodeId, Member> seen = new TreeMap<>();
    seen.put(self, me);
    heard.forEach(
        (node, it) -> {
          if (founders.contains(node) && now - it.at() <= FRESH_NANOS) {
            seen.put(node, it.here().member());
          }
        });
    boolean isEnough =
        seen.size() == founders.size() || (seen.size() >= least && now - since >= PATIENCE_NANOS);
    return isEnough && seen.size() >= least ? List.copyOf(seen.values()) : List.of();
  }

  /** Somebody is here; returns what is to be done, null for nothing yet. */
  @Nullable Step heard(NodeId from, Here here, long now) {
    if (here.isOnRing()) {
      if (!here.founders().contains(me)) {
        return new Step.Join(here.member());
      }
      return here.ageMillis() < BEGINNING_MILLIS
          ? new Step.Found(here.founders())
          : new Step.Reborn();
    }
    heard.put(from, new Heard(here, now));
    List<Member> mine = proposal(now);
    if (mine.isEmpty()) {
      return null;
    }
    for (Member member : mine) {
      Heard it = member.equals(me) ? null : heard.get(member.node());
      if (!member.equals(me) && (it == null || !it.here().founders().equals(mine))) {
        return null;
      }
    }
    return new Step.Found(mine);
  }

  /** Who has not been heard of, for people. */
  List<NodeId> missing(long now) {
    List<NodeId> missing = new ArrayList<>(founders);
    missing.remove(me.node());
    missing.removeIf(
        it -> {
          Heard one = heard.get(it);
          return one != null && now - one.at() <= FRESH_NANOS;
        });
    return missing;
  }
}
