// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.Swap;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Sees what all replicas of a group do, and what must not be. Production code may catch what is
 * thrown beneath it, so a broken invariant is kept here until the world asks.
 */
public final class Judge implements Invariant {
  private final boolean calm;
  private final SortedMap<Integer, Witness> segments = new TreeMap<>();
  private final AppliedWrites writes = new AppliedWrites(this);
  private final SortedMap<Integer, Link> chain = new TreeMap<>();
  private final SortedMap<Long, Integer> snapshots = new TreeMap<>();
  private final NavigableMap<Long, Long> times = new TreeMap<>();
  private final ReleasedLocks releases = new ReleasedLocks();
  private int[] results = new int[1024];
  private long applied;
  private @Nullable NodeId leader;
  private @Nullable Throwable broken;

  /** What was seen of one segment. */
  private static final class Witness {
    final SortedMap<Long, String> leaders = new TreeMap<>();
    int[] commands = new int[256];
  }

  /** One link of the group's chain, as nodes have shown it. */
  private static final class Link {
    final String protocol;
    final Set<NodeId> members;
    long firstApplied = Long.MAX_VALUE;
    long lastApplied = -1;
    long sealedAt = -1;

    Link(String protocol, Set<NodeId> members) {
      this.protocol = protocol;
      this.members = members;
    }
  }

  /**
   * A judge.
   *
   * @param calm whether nothing goes wrong in this world, so that nobody may notice anything of a
   *     swap: no session ends, no request fails
   */
  public Judge(boolean calm) {
    this.calm = calm;
  }

  /** Whether nothing goes wrong in this world. */
  boolean isCalm() {
    return calm;
  }

  /** What was written into the map. */
  AppliedWrites writes() {
    return writes;
  }

  /** Which locks were released by a token. */
  ReleasedLocks releases() {
    return releases;
  }

  /** The log's clock at a position, as far as machines have applied anything by then. */
  long timeMillis(long position) {
    var last = times.floorEntry(position);
    return last == null ? 0 : last.getValue();
  }

  /** Something that must not happen did. The first one counts. */
  public void fail(Throwable failure) {
    if (broken == null) {
      broken = failure;
    }
  }

  /** As {@link #fail(Throwable)}, if {@code condition} is false. */
  public void require(boolean condition, String message) {
    if (!condition) {
      fail(new AssertionError(message));
    }
  }

  @Override
  public void check() {
    if (broken != null) {
      throw new AssertionError(broken.getMessage(), broken);
    }
  }

  /** The highest position that any machine applied. */
  public long applied() {
    return applied;
  }

  /** How many segments were opened, in stand-by too. */
  public int segments() {
    return segments.size();
  }

  private Witness witness(int segment) {
    return segments.computeIfAbsent(segment, number -> new Witness());
  }

  /**
   * The chain is the same on all nodes, and a position belongs to one segment: what is applied in
   * one comes before all that is applied in later ones.
   */
  void inSegment(NodeId node, GroupStatus status) {
    if (status.members().isEmpty()) {
      return;
    }
    var link =
        chain.computeIfAbsent(
            status.segment(), n -> new Link(status.protocol(), status.members().keySet()));
    require(
        link.protocol.equals(status.protocol()) && link.members.equals(status.members().keySet()),
        node + " has another segment " + status.segment() + ": " + status);
    long applied = status.applied();
    link.firstApplied = Math.min(link.firstApplied, applied);
    link.lastApplied = Math.max(link.lastApplied, applied);
    chain.forEach(
        (number, other) -> {
          boolean fits =
              number < status.segment()
                  ? other.lastApplied < applied
                  : number == status.segment() || applied < other.firstApplied;
          require(
              fits,
              node
                  + " is at "
                  + applied
                  + " in segment "
                  + status.segment()
                  + ", another node was there in segment "
                  + number);
        });
  }

  /** A segment was sealed at one position only, whoever asked. */
  void swapped(Swap swap) {
    var link = chain.get(swap.segment());
    if (link != null) {
      require(
          link.protocol.equals(swap.protocol())
              && (link.sealedAt < 0 || link.sealedAt == swap.sealedAt())
              && swap.sealedAt() <= link.firstApplied,
          swap + ", but nodes were at " + link.firstApplied + " in it, on " + link.protocol);
      link.sealedAt = swap.sealedAt();
    }
  }

  /** How often the group went from one protocol to another, or on with the same: by both names. */
  SortedMap<String, Integer> swaps() {
    SortedMap<String, Integer> swaps = new TreeMap<>();
    @Nullable Link before = null;
    for (var link : chain.values()) {
      if (before != null) {
        swaps.merge(before.protocol + " to " + link.protocol, 1, Integer::sum);
      }
      before = link;
    }
    return swaps;
  }

  /** Election safety: at most one replica leads in a term of a segment. */
  void leads(int segment, NodeId node, int incarnation, long term) {
    leader = node;
    String replica = node + "#" + incarnation;
    String other = witness(segment).leaders.putIfAbsent(term, replica);
    require(
        other == null || other.equals(replica),
        "two leaders in term "
            + term
            + " of segment "
            + segment
            + ": "
            + other
            + " and "
            + replica);
  }

  /** Who was the last to become a leader of any segment. */
  @Nullable NodeId leader() {
    return leader;
  }

  /** How often a new leader was found. */
  public int elections() {
    return segments.values().stream().mapToInt(witness -> witness.leaders.size()).sum();
  }

  /** State machine safety: one command for each slot of a segment, for ever. */
  void decided(int segment, NodeId node, long slot, byte[] command) {
    var witness = witness(segment);
    int seen = digest(command, 0);
    witness.commands = grown(witness.commands, slot);
    int before = witness.commands[(int) slot];
    require(
        before == 0 || before == seen,
        "slot " + slot + " of segment " + segment + " is decided otherwise at " + node);
    witness.commands[(int) slot] = seen;
  }

  /** The same entry gives the same result everywhere; the end of a session has none. */
  void applied(NodeId node, Entry entry, byte[] result) {
    applied = Math.max(applied, entry.position());
    times.putIfAbsent(entry.position(), entry.timeMillis());
    if (entry.kind() == Entry.Kind.SESSION_ENDED) {
      require(!calm, "session " + entry.session() + " ended, though nothing was wrong");
      return;
    }
    int seen = digest(entry.command(), 1);
    seen = seen * 31 + digest(result, 2);
    seen = seen * 31 + Long.hashCode(entry.timeMillis());
    seen = seen * 31 + Long.hashCode(entry.session());
    seen = seen == 0 ? 1 : seen;
    results = grown(results, entry.position());
    int before = results[(int) entry.position()];
    require(
        before == 0 || before == seen,
        "position " + entry.position() + " has another effect at " + node);
    results[(int) entry.position()] = seen;
  }

  /** Snapshots of one position are the same byte by byte. */
  void snapshot(NodeId node, long position, int checksum) {
    Integer before = snapshots.putIfAbsent(position, checksum);
    require(
        before == null || before == checksum,
        "the snapshot at " + position + " differs at " + node);
  }

  /** How many positions had a snapshot. */
  public int snapshots() {
    return snapshots.size();
  }

  private static int[] grown(int[] digests, long position) {
    int index = Math.toIntExact(position);
    return index < digests.length
        ? digests
        : Arrays.copyOf(digests, Math.max(index + 1, digests.length * 2));
  }

  private static int digest(byte[] bytes, int salt) {
    var crc = new CRC32C();
    crc.update(bytes);
    int digest = (int) crc.getValue() ^ salt * 0x9E3779B9;
    return digest == 0 ? 1 : digest;
  }
}
