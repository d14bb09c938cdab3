// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.wire.WireFormatException;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the log of a group adds up to on this node: sessions, the chain of segments, who is who, and
 * the machines. The only code that changes it is {@link #apply} and {@link #restore}; used by the
 * group's thread.
 *
 * <p>Each machine has a cursor of its own: one whose bundle is away misses entries, and catches up
 * from the last snapshot and the {@link #history} since, which is why no snapshot is made
 * meanwhile.
 */
final class ReplicatedState {
  private static final Logger log = LoggerFactory.getLogger(ReplicatedState.class);
  private static final byte[] NOTHING = {};

  private final Outcomes outcomes;
  private final SortedMap<String, Machine> machines = new TreeMap<>();

  private long applied;
  private long timeMillis;
  private List<Segment> chain = new ArrayList<>();

  /** Is to follow the last of the chain; null while nothing is prepared. */
  private @Nullable Segment pending;

  /** How long a leader waits for that to be ready. */
  private int patienceMillis;

  /** Whoever has this position knows what is prepared. */
  private long preparedAt;

  /** The highest number of a segment that was ever prepared. */
  private int lastNumber;

  private Sessions sessions = new Sessions();
  private SortedMap<NodeId, Long> incarnations = new TreeMap<>();
  private final SortedMap<NodeId, Long> remembered = new TreeMap<>();

  /** Entries given to machines since the last snapshot. */
  private final ArrayDeque<Delivery> history = new ArrayDeque<>();

  private long historyStart;
  private long historyBytes;

  /** Told what entries did; on the group's thread. */
  interface Outcomes {
    /** A node's session was opened, or opened before under the same nonce. */
    void opened(Sessions.Session session);

    /** A session ended: none of its commands will be applied any more. */
    void ended(long session);

    /** The group is to go on in this segment. */
    void prepared(Segment next);

    /** The segment before ended at {@code next.base()}. */
    void sealed(Segment next);

    /** What was prepared will not be. */
    void abandoned(Segment next, String reason);

    /** A node was seen for the first time, with this directory. */
    void met(NodeId node, long incarnation);

    /**
     * A command was applied.
     *
     * @param failure what its machine threw, if it did
     */
    void applied(
        long session, long sequence, Sessions.Result result, @Nullable RuntimeException failure);
  }

  /**
   * An entry and whose it is; every machine's if {@code machine} is null, which has no sequence.
   */
  private record Delivery(@Nullable String machine, long sequence, Entry entry) {}

  private static final class Machine {
    /** Null while its bundle is away. */
    @Nullable StateMachine instance;

    /** Whether the instance has everything up to {@code applied}. */
    boolean current;

    /** Whether its state is being read on another thread, which ends by {@link #catchUp}. */
    boolean loading;

    /** Whether the instance was told that no entries come. */
    boolean isPaused;
  }

  ReplicatedState(Outcomes outcomes) {
    this.outcomes = outcomes;
  }

  long applied() {
    return applied;
  }

  /** The segment that the state is in; null on a node that waits to join. */
  @Nullable Segment current() {
    return chain.isEmpty() ? null : chain.get(chain.size() - 1);
  }

  /** The segments so far, the oldest of many forgotten. */
  List<Segment> chain() {
    return chain;
  }

  /** What is to follow, if it is prepared. */
  @Nullable Segment pending() {
    return pending;
  }

  /** How long a leader waits for {@link #pending} to be ready. */
  int patienceMillis() {
    return patienceMillis;
  }

  /** A position at which {@link #pending} was prepared. */
  long preparedAt() {
    return preparedAt;
  }

  /** The number of the segment that was prepared last. */
  int lastNumber() {
    return lastNumber;
  }

  Sessions sessions() {
    return sessions;
  }

  /**
   * The directory a node is known by, or null if it never opened a session. Known from the journal
   * before the log is applied again, since it matters for the first vote.
   */
  @Nullable Long incarnation(NodeId node) {
    Long incarnation = incarnations.get(node);
    return incarnation == null ? remembered.get(node) : incarnation;
  }

  /** What the journal says of nodes. */
  void remember(Map<NodeId, Long> directories) {
    remembered.putAll(directories);
  }

  /** Every node whose directory is known. */
  SortedMap<NodeId, Long> directories() {
    SortedMap<NodeId, Long> all = new TreeMap<>(remembered);
    all.putAll(incarnations);
    return all;
  }

  /** Bytes of entries since the last snapshot. */
  long historyBytes() {
    return historyBytes;
  }

  /** Entries to machines since the last snapshot. */
  int historySize() {
    return history.size();
  }

  /** Names of machines that have state in the log and are not there. */
  List<String> absent() {
    List<String> names = new ArrayList<>();
    machines.forEach(
        (name, machine) -> {
          if (!machine.current) {
            names.add(name);
          }
        });
    return names;
  }

  /** The machine, if it is there and has everything applied. */
  @Nullable StateMachine machine(String name) {
    Machine machine = machines.get(name);
    return machine == null || !machine.current ? null : machine.instance;
  }

  /** Whether a machine is there and will soon have everything applied. */
  boolean isComing(String name) {
    Machine machine = machines.get(name);
    return machine != null && machine.instance != null && !machine.current;
  }

  // --- machines come and go -------------------------------------------------------------------

  /**
   * A machine is there.
   *
   * @param loading whether the caller has its state read on another thread and then calls {@link
   *     #catchUp}; otherwise {@link #begin} or {@link #restore} follows
   */
  void attach(String name, StateMachine instance, boolean loading) {
    Machine machine = machines.computeIfAbsent(name, n -> new Machine());
    machine.instance = instance;
    machine.isPaused = false;
    machine.current = false;
    machine.loading = loading;
  }

  /**
   * A machine is gone; what is in the log for it stays known. Does nothing and returns false if
   * another instance has taken its place already.
   */
  @SuppressWarnings("ReferenceEquality") // which instance it is, is the question
  boolean detach(String name, StateMachine instance) {
    Machine machine = machines.get(name);
    if (machine == null || machine.instance != instance) {
      return false;
    }
    machine.instance = null;
    machine.current = false;
    machine.loading = false;
    return true;
  }

  /** Tells machines that no entries come for a while; completes when all have seen to it. */
  CompletableFuture<?> pause() {
    List<CompletableFuture<?>> paused = new ArrayList<>();
    for (Machine machine : machines.values()) {
      if (machine.current && machine.instance != null) {
        machine.isPaused = true;
        try {
          paused.add(machine.instance.pause().toCompletableFuture());
        } catch (RuntimeException e) {
          log.error("a machine could not be told that its protocol stops here", e);
        }
      }
    }
    return CompletableFuture.allOf(paused.toArray(CompletableFuture[]::new));
  }

  /** Tells machines that were told so that entries come again. */
  void resume() {
    for (Machine machine : machines.values()) {
      if (machine.isPaused && machine.current && machine.instance != null) {
        machine.isPaused = false;
        try {
          machine.instance.resume();
        } catch (RuntimeException e) {
          log.error("a machine could not be told that its protocol is back", e);
        }
      }
    }
  }

  /**
   * Brings a machine that was restored from the snapshot at {@code position} up to date.
   *
   * @return false if the history does not go back that far any more: restore it from a newer
   *     snapshot
   */
  boolean catchUp(String name, StateMachine instance, long position) {
    Machine machine = machines.get(name);
    if (machine == null || machine.instance != instance) {
      return true;
    }
    if (position > applied) {
      throw new AssertionError("machine " + name + " at " + position + ", applied " + applied);
    }
    if (position < historyStart) {
      return false;
    }
    for (Delivery delivery : history) {
      if (delivery.entry.position() > position
          && (delivery.machine == null || delivery.machine.equals(name))) {
        replay(instance, delivery);
      }
    }
    machine.current = true;
    machine.loading = false;
    return true;
  }

  // --- entries ----------------------------------------------------------------------------------

  /** Applies the next position. */
  void apply(long position, byte[] bytes) {
    if (position != applied + 1) {
      throw new AssertionError("position " + position + " after " + applied);
    }
    applied = position;
    if (bytes.length == 0) {
      return;
    }
    Envelope envelope;
    try {
      envelope = Envelope.decode(bytes);
    } catch (WireFormatException | IllegalArgumentException e) {
      // The same bytes everywhere, so the same nothing everywhere.
      return;
    }
    timeMillis = Math.max(timeMillis, Envelope.time(bytes));
    if (envelope instanceof Envelope.Command command) {
      applyCommand(command);
    } else if (envelope instanceof Envelope.Open open) {
      applyOpen(open);
    } else if (envelope instanceof Envelope.Expire expire) {
      end(expire.session());
    } else if (envelope instanceof Envelope.Prepare prepare) {
      applyPrepare(prepare);
    } else if (envelope instanceof Envelope.Seal seal) {
      applySeal(seal);
    } else if (envelope instanceof Envelope.Abandon abandon) {
      applyAbandon(abandon);
    } else {
      throw new AssertionError(envelope);
    }
  }

  private void applyCommand(Envelope.Command command) {
    Sessions.Session session = sessions.get(command.session());
    if (session == null) {
      return;
    }
    session.acknowledge(command.acknowledged());
    if (!session.isNew(command.sequence())) {
      return;
    }
    Entry entry =
        new Entry(Entry.Kind.COMMAND, applied, timeMillis, command.session(), command.payload());
    remember(new Delivery(command.machine(), command.sequence(), entry));
    Machine machine = machines.computeIfAbsent(command.machine(), n -> new Machine());
    StateMachine instance = machine.current ? machine.instance : null;
    Sessions.Result result;
    RuntimeException failure = null;
    if (instance == null) {
      result = new Sessions.Result(Sessions.Status.PENDING, applied, NOTHING);
    } else {
      try {
        result = run(instance, entry);
      } catch (RuntimeException e) {
        failure = e;
        result = failed(entry);
      }
    }
    session.record(command.sequence(), result);
    outcomes.applied(command.session(), command.sequence(), result, failure);
  }

  private void applyOpen(Envelope.Open open) {
    Sessions.Session session = sessions.find(open.node(), open.nonce());
    if (session == null) {
      if (sessions.size() >= Limits.SESSIONS) {
        return;
      }
      // An earlier life of the node cannot come back: what it held is free at once.
      sessions.of(open.node()).forEach(old -> end(old.id));
      session = new Sessions.Session(applied, open.node(), open.nonce(), open.ttlMillis());
      sessions.add(session);
      if (incarnations.putIfAbsent(open.node(), open.incarnation()) == null) {
        outcomes.met(open.node(), open.incarnation());
      }
    }
    outcomes.opened(session);
  }

  private void applyPrepare(Envelope.Prepare prepare) {
    Segment next = prepare.next();
    if (pending != null || next.number() != lastNumber + 1 || next.base() != Segment.UNKNOWN) {
      // Another one came first, or this is a late copy.
      return;
    }
    pending = next;
    preparedAt = applied;
    patienceMillis = prepare.patienceMillis();
    lastNumber = next.number();
    prepare
        .directories()
        .forEach(
            (member, directory) -> {
              // A name that was given back may be given to another directory; a member's may not.
              boolean keeps = isMember(member) && incarnations.containsKey(member);
              if (next.has(member) && !keeps) {
                incarnations.put(member, directory);
                outcomes.met(member, directory);
              }
            });
    outcomes.prepared(next);
  }

  private boolean isMember(NodeId node) {
    Segment current = current();
    return current != null && current.has(node);
  }

  private void applySeal(Envelope.Seal seal) {
    Segment next = pending;
    if (next == null || !next.is(seal.number(), seal.incarnation())) {
      return;
    }
    pending = null;
    Segment link = next.after(applied);
    chain.add(link);
    if (chain.size() > Limits.SEGMENTS) {
      chain.remove(0);
    }
    outcomes.sealed(link);
  }

  private void applyAbandon(Envelope.Abandon abandon) {
    Segment next = pending;
    if (next != null && next.is(abandon.number(), abandon.incarnation())) {
      pending = null;
      outcomes.abandoned(next, abandon.reason());
    }
  }

  private void end(long session) {
    if (sessions.get(session) == null) {
      return;
    }
    sessions.remove(session);
    Entry entry = new Entry(Entry.Kind.SESSION_ENDED, applied, timeMillis, session, NOTHING);
    remember(new Delivery(null, 0, entry));
    for (Machine machine : machines.values()) {
      if (machine.current && machine.instance != null) {
        tell(machine.instance, entry);
      }
    }
    outcomes.ended(session);
  }

  private static Sessions.Result run(StateMachine machine, Entry entry) {
    byte[] bytes = machine.apply(entry);
    return bytes.length > Limits.RESULT_BYTES
        ? failed(entry)
        : new Sessions.Result(Sessions.Status.APPLIED, entry.position(), bytes);
  }

  private static Sessions.Result failed(Entry entry) {
    return new Sessions.Result(Sessions.Status.FAILED, entry.position(), NOTHING);
  }

  /** Gives a machine what it missed, and its commands the results that were missing. */
  private void replay(StateMachine machine, Delivery delivery) {
    if (delivery.machine == null) {
      tell(machine, delivery.entry);
      return;
    }
    Sessions.Result result;
    try {
      result = run(machine, delivery.entry);
    } catch (RuntimeException e) {
      result = failed(delivery.entry);
    }
    Sessions.Session session = sessions.get(delivery.entry.session());
    Sessions.Result known = session == null ? null : session.result(delivery.sequence);
    if (session != null && known != null && known.status() == Sessions.Status.PENDING) {
      session.record(delivery.sequence, result);
    }
  }

  /** An entry whose result nobody waits for. */
  private static void tell(StateMachine machine, Entry entry) {
    try {
      machine.apply(entry);
    } catch (RuntimeException e) {
      // The same failure at the same place everywhere: the copies stay equal, and there is no one
      // to tell.
      return;
    }
  }

  private void remember(Delivery delivery) {
    history.add(delivery);
    historyBytes += delivery.entry.command().length + 128;
  }

  // --- snapshots --------------------------------------------------------------------------------

  /** Begins the chain of a group that has no snapshot; null if this node waits to join one. */
  void begin(@Nullable Segment first) {
    reset(0);
    if (first != null) {
      chain.add(first);
    }
    machines.keySet().forEach(name -> restoreMachine(name, InputStream.nullInputStream()));
  }

  /** Captures the state at {@link #applied}; only while no machine is {@link #absent}. */
  SnapshotFormat.Capture capture(byte[] anchor) {
    SortedMap<String, StateMachine.Snapshot> captured = new TreeMap<>();
    machines.forEach(
        (name, machine) -> {
          if (machine.instance == null || !machine.current) {
            throw new AssertionError("a snapshot without machine " + name);
          }
          captured.put(name, machine.instance.snapshot());
        });
    SnapshotFormat.Head head =
        new SnapshotFormat.Head(
            applied,
            timeMillis,
            anchor,
            new SnapshotFormat.Chain(chain, pending, patienceMillis, lastNumber),
            sessions,
            incarnations,
            List.copyOf(captured.keySet()));
    return new SnapshotFormat.Capture(applied, head.chain(), anchor, head.encode(), captured);
  }

  /** Entries up to {@code position} are in a snapshot on disk now. */
  void forget(long position) {
    while (!history.isEmpty() && history.peek().entry.position() <= position) {
      historyBytes -= history.poll().entry.command().length + 128;
    }
    historyStart = Math.max(historyStart, position);
  }

  /** Replaces everything by a snapshot's content; returns its head. */
  SnapshotFormat.Head restore(InputStream content) throws IOException {
    DataInputStream in = new DataInputStream(content);
    SnapshotFormat.Head head = SnapshotFormat.readHead(in);
    reset(head.position());
    timeMillis = head.timeMillis();
    chain = new ArrayList<>(head.chain().segments());
    pending = head.chain().pending();
    preparedAt = applied;
    patienceMillis = head.chain().patienceMillis();
    lastNumber = head.chain().lastNumber();
    sessions = head.sessions();
    incarnations = head.incarnations();
    List<String> missing = new ArrayList<>(machines.keySet());
    for (int i = 0; i < head.machines().size(); i++) {
      String name = in.readUTF();
      machines.computeIfAbsent(name, n -> new Machine());
      missing.remove(name);
      try (InputStream section = SnapshotFormat.section(in)) {
        restoreMachine(name, section);
      }
    }
    missing.forEach(name -> restoreMachine(name, InputStream.nullInputStream()));
    return head;
  }

  /** Reads one machine's state out of a snapshot's content, on any thread; empty if it has none. */
  static void restoreOne(String name, StateMachine machine, InputStream content)
      throws IOException {
    DataInputStream in = new DataInputStream(content);
    SnapshotFormat.Head head = SnapshotFormat.readHead(in);
    for (int i = 0; i < head.machines().size(); i++) {
      boolean wanted = in.readUTF().equals(name);
      try (InputStream section = SnapshotFormat.section(in)) {
        if (wanted) {
          machine.restore(section);
          return;
        }
      }
    }
    machine.restore(InputStream.nullInputStream());
  }

  private void reset(long position) {
    applied = position;
    timeMillis = 0;
    chain = new ArrayList<>();
    pending = null;
    lastNumber = 0;
    sessions = new Sessions();
    incarnations = new TreeMap<>();
    history.clear();
    historyBytes = 0;
    historyStart = position;
    machines.values().forEach(machine -> machine.current = false);
  }

  private void restoreMachine(String name, InputStream section) {
    Machine machine = machines.get(name);
    if (machine == null || machine.instance == null || machine.loading) {
      return;
    }
    try {
      machine.instance.restore(section);
      machine.current = true;
    } catch (IOException e) {
      throw new IllegalStateException(
          "machine " + name + " cannot read its part of the snapshot: " + e.getMessage(), e);
    }
  }
}
