// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Address;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Event;
import io.clowder.api.storage.Snapshots;
import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the state of this node along the log, from segment to segment: by what cores decide, or by
 * a snapshot. What a core decides beyond the seal of its segment is not applied, and what it
 * decides before the state has come to its segment is kept until then. On the group's thread.
 */
final class Passage {
  private static final Logger log = LoggerFactory.getLogger(Passage.class);

  /** After a swap has settled: its snapshot need not compete with what waited for it. */
  private static final long BOUNDARY_NANOS = 1_000_000_000L;

  /** A sealed segment that nobody here needs stays open this long for whoever is silent. */
  private static final long LINGER_NANOS = 10_000_000_000L;

  private static final long LONG_AGO_NANOS = 30_000_000_000L;

  private final GroupSetting setting;
  private final Node node;
  private final Round round;
  private final Parts parts;
  private final Consumer<String> onProtocol;

  private boolean loaded;

  /** The state came to another segment in the middle of what was decided. */
  private boolean moved;

  /** Since when the state has been in the current segment, and a snapshot has covered its begin. */
  private long since;

  private long coveredSince;
  private long lastCommandAt;

  /** A segment that must not be opened before the state has come to it, and why. */
  private int barred = -1;

  /** The parts of the group that it moves. */
  record Parts(
      ReplicatedState state,
      Segments segments,
      Compaction compaction,
      Router router,
      Reads reads,
      Renewals renewals,
      Reports reports,
      Succession succession,
      Inbound inbound,
      Postbox postbox,
      Acquaintances acquaintances,
      Health health) {}

  /**
   * A passage whose state is not read yet.
   *
   * @param onProtocol told the protocol of the segment that the state comes to
   */
  Passage(GroupSetting setting, Node node, Round round, Parts parts, Consumer<String> onProtocol) {
    this.setting = setting;
    this.node = node;
    this.round = round;
    this.parts = parts;
    this.onProtocol = onProtocol;
    since = round.now();
    lastCommandAt = round.now() - LONG_AGO_NANOS;
  }

  boolean isLoaded() {
    return loaded;
  }

  /** Since when the state has been in the current segment. */
  long since() {
    return since;
  }

  /** When the last command before the current segment, or in it, was applied here; no seal is. */
  long lastCommandAt() {
    return lastCommandAt;
  }

  /** Whether the state has yet to come to a segment. */
  boolean isAhead(Segment segment) {
    Segment current = parts.state.current();
    return current == null || segment.number() > current.number();
  }

  /** Does without a stand-by that fails; the leader gives it up if the others cannot either. */
  void bar(Segment segment, Throwable failure) {
    log.error("group {}: {} fails in stand-by", setting.name(), segment.title(), failure);
    barred = segment.number();
    parts.health.standBy = "swap: " + segment.title() + " fails in stand-by: " + failure;
  }

  /** Another provider is there: it may do better. */
  void unbar() {
    barred = -1;
    parts.health.standBy = "";
  }

  boolean isBarred(Segment pending) {
    return pending.number() == barred;
  }

  /** Reads the newest snapshot; without one the group is at its beginning. Waits for the disk. */
  void load() throws IOException {
    Snapshots.Snapshot latest = parts.compaction.latest();
    if (latest != null) {
      parts.compaction.restore(latest);
    } else {
      Segment first = parts.segments.first();
      parts.state.begin(first != null ? first.after(0) : setting.joining() ? null : firstSegment());
    }
    loaded = true;
    enter();
  }

  /** The same on every node without a word between them, and another one in every cluster. */
  private Segment firstSegment() {
    long incarnation = 0xCBF29CE484222325L;
    String name = node.cluster() + "/" + setting.name() + node.members().keySet();
    for (int i = 0; i < name.length(); i++) {
      incarnation = (incarnation ^ name.charAt(i)) * 0x100000001B3L;
    }
    return new Segment(0, incarnation, setting.protocol(), setting.parameters(), node.members(), 0);
  }

  // --- what cores decide ------------------------------------------------------------------------

  /** A core decided. */
  void decided(OpenSegment by, Action.Decide decided) {
    Segment current = parts.state.current();
    if (current == null || by.segment.number() > current.number()) {
      keep(by, decided);
    } else if (by.segment.is(current)) {
      apply(current, decided);
      if (moved) {
        enter();
      }
    }
  }

  private void keep(OpenSegment by, Action.Decide decided) {
    if (decided.firstSlot() == 1) {
      // A quorum of the stand-by has proved to be there.
      parts.reports.soon(round.now());
      round.tickNow();
    }
    if (by.keep(decided) > setting.historyBytesMax()) {
      bar(by.segment, new IllegalStateException("too much was decided ahead of the state"));
      parts.segments.close(by);
    }
  }

  private void apply(Segment current, Action.Decide decided) {
    long position = current.base() + decided.firstSlot();
    long bytes = 0;
    for (byte[] command : decided.commands()) {
      if (position > parts.state.applied()) {
        parts.state.apply(position, command);
        if (moved) {
          // What the old protocol decides beyond its seal never happened.
          break;
        }
        lastCommandAt = command.length > 0 ? round.now() : lastCommandAt;
      }
      bytes += command.length;
      position++;
    }
    parts.router.decided(bytes);
  }

  /** The state has applied a seal. */
  void sealed() {
    moved = true;
  }

  // --- from segment to segment ------------------------------------------------------------------

  /** The state is in another segment than it was, and perhaps soon in yet another. */
  private void enter() {
    do {
      moved = false;
      enterOne();
    } while (moved);
  }

  private void enterOne() {
    Segment current = parts.state.current();
    since = round.now();
    coveredSince = 0;
    parts.health.standBy = "";
    parts.postbox.open(
        new GroupMessage.Header(
            current == null ? -1 : current.number(),
            current == null ? 0 : current.incarnation(),
            node.incarnation()));
    parts.succession.reset();
    parts.reports.soon(round.now());
    round.tickNow();
    keepLinks();
    if (current != null) {
      onProtocol.accept(current.protocol());
    }
    parts.reads.sealed();
    follow();
    OpenSegment open = parts.segments.current();
    Action.Decide kept;
    while (current != null && open != null && !moved && (kept = open.takeKept()) != null) {
      apply(current, kept);
    }
    parts.inbound.moved(round.now());
  }

  /** Takes over who leads the current segment. */
  void follow() {
    OpenSegment open = parts.segments.current();
    Router router = parts.router;
    parts.renewals.follow();
    router.move(
        open != null && open.leads(),
        open == null ? null : open.leader(),
        open == null ? router.term() : open.term(),
        round.now());
    if (router.leads()) {
      parts.renewals.lead();
    }
  }

  /** Keeps links to all who may have to be talked to. */
  void keepLinks() {
    SortedMap<NodeId, Address> known = new TreeMap<>();
    parts.segments.all().forEach(open -> known.putAll(open.segment.members()));
    Segment current = parts.state.current();
    if (current != null) {
      known.putAll(current.members());
    }
    Segment pending = parts.state.pending();
    if (pending != null) {
      known.putAll(pending.members());
    }
    parts.acquaintances.keep(known);
  }

  // --- snapshots --------------------------------------------------------------------------------

  /** A snapshot of another node is here. */
  void received(Snapshots.Snapshot snapshot) throws IOException {
    if (!loaded) {
      return;
    }
    if (snapshot.position() <= parts.state.applied()) {
      adopt(snapshot);
      return;
    }
    Segment before = parts.state.current();
    parts.compaction.restore(snapshot);
    Segment current = parts.state.current();
    if (current == null) {
      throw new AssertionError("a snapshot without a segment");
    }
    log.info("group {}: caught up by a snapshot at {}", setting.name(), snapshot.position());
    if (isMember(current) || isMember(parts.state.pending())) {
      parts.health.removed = "";
      parts.health.stranger = false;
    }
    for (OpenSegment other : parts.segments.all()) {
      // A node that joins may come from a group of its own.
      if (parts.state.chain().stream().anyMatch(other.segment::isAnother)) {
        parts.segments.close(other);
      }
    }
    OpenSegment open = parts.segments.current();
    long slot = parts.state.applied() - current.base();
    if (open != null && slot > 0) {
      open.step(new Event.Installed(slot, parts.compaction.anchor()));
    }
    if (before == null || !before.is(current)) {
      enter();
    }
    keepLinks();
    parts.segments.removeObsolete();
  }

  /**
   * The state has it; but a core that was opened again may lack slots that nobody keeps any more.
   */
  private void adopt(Snapshots.Snapshot snapshot) throws IOException {
    Segment current = parts.state.current();
    OpenSegment open = parts.segments.current();
    long position = snapshot.position();
    if (current == null || open == null || position <= parts.compaction.position()) {
      return;
    }
    long slot = position - current.base();
    if (slot > open.replica().core().view().decided()) {
      parts.compaction.adopt(snapshot);
      open.step(new Event.Installed(slot, parts.compaction.anchor()));
    }
  }

  private boolean isMember(@Nullable Segment segment) {
    return segment != null && segment.has(node.id());
  }

  /** A snapshot of this node is durable. */
  void made(long position, long size) {
    Compaction compaction = parts.compaction;
    if (!compaction.made(position, size)) {
      return;
    }
    OpenSegment of = parts.segments.get(compaction.chain().current());
    for (Segment link : parts.state.chain()) {
      if (of != null && link.is(of.segment) && position > link.base()) {
        long slot = position - link.base();
        // A core that was opened again may not have come back to where the state is.
        boolean decided = of.replica().core().view().decided() >= slot;
        of.step(
            decided ? new Event.Compacted(slot) : new Event.Installed(slot, compaction.anchor()));
      }
    }
    parts.reports.soon(round.now());
    parts.segments.removeObsolete();
  }

  // --- sealed segments --------------------------------------------------------------------------

  /**
   * Closes segments that are over, once nobody needs them; has a snapshot made that covers them.
   */
  void tick() {
    Segment current = parts.state.current();
    if (current != null) {
      boolean covered = parts.compaction.position() >= current.base();
      coveredSince = covered && coveredSince == 0 ? round.now() : coveredSince;
      if (!covered && parts.reports.isLeftBehind(current)) {
        // Whoever leaves may go only when the others have what it holds.
        parts.compaction.want(current.base());
      } else if (!covered && round.now() - since > BOUNDARY_NANOS) {
        parts.compaction.wantInTime(current.base());
      }
    }
    for (OpenSegment open : parts.segments.all()) {
      if (isSuperfluous(open)) {
        log.info("group {}: {} is closed", setting.name(), open.segment.title());
        parts.segments.close(open);
        keepLinks();
      }
    }
  }

  private boolean isSuperfluous(OpenSegment open) {
    Segment current = parts.state.current();
    Segment pending = parts.state.pending();
    if (current == null || open.segment.number() > current.number()) {
      return pending == null || !pending.is(open.segment);
    }
    if (open.segment.is(current) || parts.compaction.position() < current.base()) {
      return false;
    }
    if (!current.has(node.id())) {
      // Whoever goes serves until the others can do without.
      return parts.reports.covering(current, current.base()) >= current.majority();
    }
    return parts.reports.allPassed(open.segment)
        || (coveredSince != 0 && round.now() - coveredSince > LINGER_NANOS);
  }
}
