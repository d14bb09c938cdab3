// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Node;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segments that are open on this node: the current one, one in stand-by, and sealed ones that
 * somebody may still need. A replica is built from its journal and the newest snapshot; there is no
 * other way to start (law 4). On the group's thread; journals are opened and removed in the
 * background.
 */
final class Segments {
  private static final Logger log = LoggerFactory.getLogger(Segments.class);

  private final GroupSetting setting;
  private final Node node;
  private final Storage storage;
  private final Environment environment;
  private final ReplicatedState state;
  private final Compaction compaction;
  private final Parts parts;

  /** By number; replaced when it changes, so that loops over it may open and close. */
  private List<OpenSegment> open = List.of();

  /** Journals that are being opened or closed, and who reads them. */
  private final SortedMap<Integer, ConsensusProtocol> busy = new TreeMap<>();

  /** What the rest of the group gives and is told. */
  interface Parts {
    /** Where a segment's actions go. */
    OpenSegment.Driver driver();

    /** Where its journal's failures go. */
    GatheringJournal.Outcome disk();

    /** Runs {@code task} on the group's thread. */
    void enqueue(Runnable task);

    /** The time of this round. */
    long now();

    /** Whether a segment whose journal has been read is still to be opened. */
    boolean wants(Segment segment, ConsensusProtocol provider);

    /** A segment is open. */
    void opened(OpenSegment segment);

    /** A segment's journal is closed. */
    void closed();

    /** A segment could not be opened. */
    void notOpened(Segment segment, Throwable failure);
  }

  Segments(
      GroupSetting setting,
      Node node,
      Storage storage,
      Environment environment,
      ReplicatedState state,
      Compaction compaction,
      Parts parts) {
    this.setting = setting;
    this.node = node;
    this.storage = storage;
    this.environment = environment;
    this.state = state;
    this.compaction = compaction;
    this.parts = parts;
  }

  /** Those that are open now, by number; stays as it is when segments are opened and closed. */
  List<OpenSegment> all() {
    return open;
  }

  @Nullable OpenSegment get(int number) {
    for (OpenSegment segment : open) {
      if (segment.segment.number() == number) {
        return segment;
      }
    }
    return null;
  }

  /** The segment that the state is in, if it is open. */
  @Nullable OpenSegment current() {
    Segment current = state.current();
    OpenSegment found = current == null ? null : get(current.number());
    return found != null && current != null && found.segment.is(current) ? found : null;
  }

  /** The newest that is open. */
  @Nullable OpenSegment newest() {
    return open.isEmpty() ? null : open.get(open.size() - 1);
  }

  /** Whether anything runs on a provider, or is being opened or closed; on any if it is null. */
  boolean uses(@Nullable ConsensusProtocol provider) {
    if (provider == null) {
      return !open.isEmpty() || !busy.isEmpty();
    }
    return busy.containsValue(provider)
        || open.stream().anyMatch(segment -> segment.provider == provider);
  }

  /** Begins to open a segment, unless it is open or on its way in or out. */
  void open(Segment segment, ConsensusProtocol provider) {
    int number = segment.number();
    if (get(number) != null || busy.containsKey(number)) {
      return;
    }
    busy.put(number, provider);
    environment
        .background()
        .execute(
            () -> {
              try {
                Recovery recovery =
                    Recovery.read(storage, name(number), segment.protocol(), provider);
                parts.enqueue(() -> read(segment, provider, recovery));
              } catch (IOException
                  | RuntimeException
                  | AssertionError
                  | LinkageError
                  | VirtualMachineError e) {
                parts.enqueue(
                    () -> {
                      busy.remove(number);
                      parts.notOpened(segment, e);
                    });
              }
            });
  }

  private void read(Segment segment, ConsensusProtocol provider, Recovery recovery) {
    state.remember(recovery.directories());
    OpenSegment opened = null;
    try {
      Segment found = recovery.segment();
      if (found != null && !found.is(segment)) {
        throw new IllegalStateException("the state is in " + segment + ", the journal of " + found);
      }
      if (parts.wants(segment, provider)) {
        opened = run(segment, provider, recovery);
      }
    } catch (RuntimeException | AssertionError | LinkageError | VirtualMachineError e) {
      parts.notOpened(segment, e);
    }
    if (opened == null) {
      environment
          .background()
          .execute(
              () -> {
                try {
                  recovery.journal().close();
                } catch (IOException e) {
                  log.warn("journal {}: {}", name(segment.number()), e.toString());
                }
                parts.enqueue(
                    () -> {
                      busy.remove(segment.number());
                      parts.closed();
                    });
              });
      return;
    }
    busy.remove(segment.number());
    List<OpenSegment> more = new ArrayList<>(open);
    more.add(opened);
    more.sort(Comparator.comparingInt(each -> each.segment.number()));
    open = List.copyOf(more);
    opened.step(new Event.Clock(parts.now()));
    log.info(
        "group {}: {} opened, state at position {}",
        setting.name(),
        segment.title(),
        state.applied());
    parts.opened(opened);
  }

  private OpenSegment run(Segment segment, ConsensusProtocol provider, Recovery recovery) {
    boolean covered = compaction.chain().current() == segment.number();
    Segment current = state.current();
    long base = current != null && segment.is(current) ? current.base() : 0;
    CoreSetting core =
        new CoreSetting(
            segment.number(),
            node.id(),
            List.copyOf(segment.members().keySet()),
            segment.parameters(),
            covered ? compaction.position() - base : 0,
            covered ? compaction.anchor() : new byte[0],
            setting.timing(),
            environment.random());
    ProtocolCore opened = provider.open(core, recovery.records());
    JournalWriter journal =
        new JournalWriter(recovery.journal(), provider.codec(), environment.disk(), parts.disk());
    if (recovery.segment() == null) {
      journal.append(1, segment);
    }
    GroupMessage.Header header =
        new GroupMessage.Header(segment.number(), segment.incarnation(), node.incarnation());
    OpenSegment result = new OpenSegment(segment, provider, header, parts.driver());
    result.run(new Replica(node.id(), opened, journal, result));
    return result;
  }

  /** Closes a segment, unless that was done already; its journal stays. */
  @SuppressWarnings("ReferenceEquality") // another replica of it may be open by now
  void close(OpenSegment segment) {
    int number = segment.segment.number();
    if (get(number) != segment) {
      return;
    }
    open = open.stream().filter(each -> each != segment).toList();
    busy.put(number, segment.provider);
    segment
        .replica()
        .journal()
        .close(
            () -> {
              busy.remove(number);
              removeObsolete();
              parts.closed();
            });
  }

  /**
   * Removes the journals that the newest snapshot has made superfluous: of segments before its own,
   * and of those that were given up before it.
   */
  void removeObsolete() {
    SnapshotFormat.Chain chain = compaction.chain();
    if (chain.lastNumber() == 0) {
      return;
    }
    List<Integer> kept = new ArrayList<>();
    open.forEach(segment -> kept.add(segment.segment.number()));
    kept.addAll(busy.keySet());
    Segment pending = chain.pending();
    if (pending != null) {
      kept.add(pending.number());
    }
    kept.add(chain.current());
    environment
        .background()
        .execute(
            () -> {
              try {
                for (String name : storage.journals(setting.name())) {
                  int number = Integer.parseInt(name.substring(name.lastIndexOf('/') + 1));
                  if (number <= chain.lastNumber() && !kept.contains(number)) {
                    storage.deleteJournal(name);
                    log.info("group {}: journal {} is not needed any more", setting.name(), name);
                  }
                }
              } catch (IOException | IllegalStateException e) {
                // One that is just being opened is removed next time.
                log.warn("group {}: journals not removed: {}", setting.name(), e.toString());
              }
            });
  }

  private String name(int number) {
    return setting.name() + "/" + number;
  }

  /** What the journal of the first segment says it is, or null if there is none; waits. */
  @Nullable Segment first() throws IOException {
    String name = name(0);
    if (!storage.journals(setting.name()).contains(name)) {
      return null;
    }
    Recovery recovery = Recovery.read(storage, name, "", null);
    recovery.journal().close();
    state.remember(recovery.directories());
    return recovery.segment();
  }
}
