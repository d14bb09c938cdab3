// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.Evidence;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Many SWIM nodes in one event loop, with as little around them as can be. Plays the outer layer:
 * all have greeted each other before the beginning, pings are answered, relays ask and say so when
 * there is no answer.
 *
 * <p>A node that stalls is caught where it hurts, as in Lifeguard's experiments (section V-B),
 * which block a member immediately before it sends: it reads the clock, begins a probe, and stands
 * still before the ping has left. Then it runs nothing. When it wakes, the ping leaves, the timers
 * that are late fire, and only then it reads what has come in.
 */
final class SwimCluster {
  static final long MILLIS = 1_000_000;
  static final long SECONDS = 1_000 * MILLIS;

  /** What a message costs beside its gossip: addresses, frame, kind, token. */
  static final int FRAME_BYTES = 32;

  /** What the outer layer takes for a stall: {@code stall.millis}. */
  private static final long STALL_NANOS = 100 * MILLIS;

  final List<Member> members = new ArrayList<>();
  final List<Verdict> verdicts = new ArrayList<>();
  long now;
  long messages;
  double loss;
  boolean isStallAware;

  /** Hears of every probe that begins. */
  @Nullable BiConsumer<Member, Member> pinged;

  /** Which messages get lost for certain. */
  BiPredicate<Member, Member> isCut = (from, to) -> false;

  private final SplittableRandom random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final Map<NodeId, Member> byId = new HashMap<>();
  private long made;

  SwimCluster(int size, SwimSettings settings, long seed) {
    random = new SplittableRandom(seed);
    for (int i = 0; i < size; i++) {
      Member member = new Member(i, settings);
      members.add(member);
      byId.put(member.id, member);
    }
    for (Member member : members) {
      member.detector.peers(new TreeSet<>(byId.keySet()), 0);
      for (Member peer : members) {
        member.detector.restarted(peer.id, peer.life, 0);
        member.detector.sign(peer.id, 0);
      }
      member.appoint();
    }
  }

  SplittableRandom random() {
    return random;
  }

  /** Has the action happen at a time. */
  void at(long nanos, Runnable action) {
    events.add(new Event(nanos, ++made, action, null, -1));
  }

  void runUntil(long nanos) {
    for (Event next = events.peek(); next != null && next.nanos <= nanos; next = events.peek()) {
      events.remove();
      now = next.nanos;
      if (next.member == null) {
        next.action.run();
      } else {
        next.member.happen(next);
      }
    }
    now = nanos;
  }

  /** Runs for so much longer. */
  void run(long nanos) {
    runUntil(now + nanos);
  }

  /** How long it took until all others that live had declared the member failed; -1 if not all. */
  long declaredNanos(Member about, long sinceNanos) {
    long last = -1;
    for (Member observer : members) {
      if (observer != about && !observer.isCrashed && !observer.isMute) {
        long at =
            verdicts.stream()
                .filter(v -> v.about == about && v.observer == observer && v.isDead)
                .filter(v -> v.nanos >= sinceNanos)
                .mapToLong(Verdict::nanos)
                .findFirst()
                .orElse(-1);
        if (at < 0) {
          return -1;
        }
        last = Math.max(last, at - sinceNanos);
      }
    }
    return last;
  }

  /** Verdicts on members that live. */
  List<Verdict> mistakes() {
    return verdicts.stream().filter(v -> v.isDead && !v.about.isCrashed).toList();
  }

  private void send(Member from, Member to, int bytes, Runnable receive) {
    if (from.isBlocked) {
      from.held.add(() -> send(from, to, bytes, receive));
      return;
    }
    messages++;
    from.sent(bytes + FRAME_BYTES);
    if (isCut.test(from, to) || (loss > 0 && random.nextDouble() < loss)) {
      return;
    }
    long delay = MILLIS / 5 + random.nextLong(MILLIS);
    events.add(new Event(now + delay, ++made, receive, to, bytes + FRAME_BYTES));
  }

  /** What was said about whom, when, by whom. */
  record Verdict(long nanos, Member observer, Member about, boolean isDead, Evidence evidence) {}

  private record Event(long nanos, long number, Runnable action, @Nullable Member member, int bytes)
      implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return nanos != other.nanos
          ? Long.compare(nanos, other.nanos)
          : Long.compare(number, other.number);
    }
  }

  /** One node. */
  final class Member implements Detector.Probes {
    final int index;
    final NodeId id;
    final long life;
    final Swim detector;

    /** Whether it runs another algorithm: it answers without gossip, and tells nobody anything. */
    private boolean isMute;

    boolean isCrashed;
    long sentBytes;
    long receivedBytes;
    final long[] sentInSecond = new long[256];

    private final Queue<Runnable> held = new ArrayDeque<>();
    private final Queue<Event> inbox = new ArrayDeque<>();
    private final Map<Long, Runnable> relayed = new HashMap<>();
    private boolean isBlocked;
    private long stalledAt;
    private long appointment = Long.MAX_VALUE;
    private long relayTokens;

    Member(int index, SwimSettings settings) {
      this.index = index;
      this.id = new NodeId("n" + (index + 1));
      this.life = 1_767_225_600_000L + index;
      this.detector = new Swim(id, life, settings, random.split());
    }

    /** Runs another algorithm from the beginning on. */
    void mute() {
      isMute = true;
      detector.peers(new TreeSet<>(), 0);
    }

    /** Stops for so long; what happens meanwhile waits. */
    void stall(long nanos) {
      if (!isBlocked) {
        isBlocked = true;
        SwimCluster.this.at(now + nanos, this::resume);
      }
    }

    private void resume() {
      isBlocked = false;
      if (isCrashed) {
        return;
      }
      if (!held.isEmpty() && isStallAware && now - stalledAt >= STALL_NANOS) {
        detector.stalled(now - stalledAt, now);
      }
      for (Runnable send = held.poll(); send != null; send = held.poll()) {
        send.run();
      }
      List<Event> waiting = new ArrayList<>(inbox);
      inbox.clear();
      for (Event timer : waiting) {
        if (timer.bytes < 0) {
          timer.action.run();
        }
      }
      wake();
      for (Event message : waiting) {
        if (message.bytes >= 0) {
          message.action.run();
        }
      }
      appoint();
    }

    private void happen(Event event) {
      if (isCrashed) {
        return;
      }
      if (event.bytes >= 0) {
        receivedBytes += event.bytes;
      }
      if (isBlocked && (event.bytes >= 0 || !held.isEmpty())) {
        inbox.add(event);
        return;
      }
      event.action.run();
      if (held.isEmpty()) {
        appoint();
      } else {
        stalledAt = now;
      }
    }

    private void wake() {
      for (int i = 0; detector.wakeAt() <= now; i++) {
        if (i > 1_000) {
          throw new AssertionError(id + " wants to be woken for ever");
        }
        detector.wake(now, this);
      }
    }

    private void appoint() {
      long at = Math.max(now, detector.wakeAt());
      if (at < appointment || appointment <= now) {
        appointment = at;
        events.add(new Event(at, ++made, () -> wakeIf(at), this, -1));
      }
    }

    private void wakeIf(long at) {
      if (appointment == at) {
        wake();
        appointment = Long.MAX_VALUE;
      }
    }

    private void sent(int bytes) {
      sentBytes += bytes;
      sentInSecond[(int) (now / SECONDS) % sentInSecond.length] += bytes;
    }

    private void relayTimer(long nanos, Runnable action) {
      events.add(new Event(now + nanos, ++made, action, this, -1));
    }

    @Override
    public void ping(NodeId peer, long token, byte[] gossip) {
      Member to = byId.get(peer);
      if (pinged != null) {
        pinged.accept(this, to);
      }
      send(this, to, gossip.length, () -> to.pinged(this, token, gossip));
    }

    private void pinged(Member from, long token, byte[] gossip) {
      hear(from, gossip);
      byte[] back = isMute ? new byte[0] : detector.gossipFor(from.id);
      send(
          this, from, back.length, () -> from.detector.answered(id, token, back, from.now(), from));
    }

    private void hear(Member from, byte[] gossip) {
      if (isMute || gossip.length == 0) {
        detector.sign(from.id, now);
      } else {
        detector.gossip(from.id, gossip, now, this);
      }
    }

    @Override
    public void pingThrough(NodeId relay, NodeId peer, long token, long withinNanos) {
      Member through = byId.get(relay);
      Member target = byId.get(peer);
      send(this, through, 8, () -> through.relay(this, target, token, withinNanos));
    }

    private void relay(Member origin, Member target, long token, long within) {
      detector.sign(origin.id, now);
      long own = ++relayTokens;
      relayed.put(
          own,
          () ->
              send(
                  this,
                  origin,
                  8,
                  () -> {
                    origin.detector.sign(id, origin.now());
                    origin.detector.answered(target.id, token, new byte[0], origin.now(), origin);
                  }));
      send(this, target, 0, () -> target.pingedByRelay(this, own));
      relayTimer(within, () -> nack(origin, target, token, own));
    }

    private void pingedByRelay(Member relay, long token) {
      detector.sign(relay.id, now);
      send(this, relay, 0, () -> relay.relayAnswered(this, token));
    }

    private void relayAnswered(Member target, long token) {
      detector.sign(target.id, now);
      Runnable answer = relayed.remove(token);
      if (answer != null) {
        answer.run();
      }
    }

    private void nack(Member origin, Member target, long token, long own) {
      if (relayed.remove(own) != null) {
        send(
            this,
            origin,
            8,
            () -> origin.detector.notAnswered(id, target.id, token, origin.now(), origin));
      }
    }

    private long now() {
      return now;
    }

    @Override
    public void tell(NodeId peer, byte[] gossip) {
      Member to = byId.get(peer);
      send(this, to, gossip.length, () -> to.hear(this, gossip));
    }

    @Override
    public void suspect(NodeId peer, Evidence evidence, String detail) {
      verdicts.add(new Verdict(now, this, byId.get(peer), true, evidence));
    }

    @Override
    public void trust(NodeId peer, Evidence evidence) {
      verdicts.add(new Verdict(now, this, byId.get(peer), false, evidence));
    }

    @Override
    public String toString() {
      return id.value();
    }
  }
}
