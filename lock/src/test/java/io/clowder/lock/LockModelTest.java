// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.lock.Claim.Mode;
import io.clowder.api.lock.LockInfo;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Change;
import io.clowder.lock.LockRequest.Enter;
import io.clowder.lock.LockRequest.Leave;
import io.clowder.lock.LockRequest.Open;
import io.clowder.lock.LockRequest.Page;
import io.clowder.lock.LockRequest.Promote;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockRequest.Settle;
import io.clowder.lock.LockRequest.Show;
import io.clowder.lock.LockResult.Busy;
import io.clowder.lock.LockResult.Cancelled;
import io.clowder.lock.LockResult.Done;
import io.clowder.lock.LockResult.Granted;
import io.clowder.lock.LockResult.Locks;
import io.clowder.lock.LockResult.NotEntered;
import io.clowder.lock.LockResult.NotOpen;
import io.clowder.lock.LockResult.OtherKind;
import io.clowder.lock.LockResult.Queued;
import io.clowder.lock.LockResult.Refused;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The table against the plainest one that could be written, over random entries. */
class LockModelTest {
  /** A request at a lock; it holds if it has a token. */
  private static final class Asked {
    final long session;
    final long request;
    final int bundle;
    final Want want;
    final long sinceMillis;
    long token;
    long grantedMillis;
    boolean askedToYield;

    Asked(long session, long request, int bundle, Want want, long sinceMillis) {
      this.session = session;
      this.request = request;
      this.bundle = bundle;
      this.want = want;
      this.sinceMillis = sinceMillis;
    }
  }

  /** A lock in plain lists, searched from end to end. */
  private static final class Lock {
    final List<Asked> holders = new ArrayList<>();
    final List<Asked> waiters = new ArrayList<>();

    /** Those that go ahead of every priority. */
    final Set<Asked> promoted = new HashSet<>();

    int permits;
    long last;
    long delayedUntil;

    boolean isIdle() {
      return holders.isEmpty() && waiters.isEmpty();
    }

    boolean hasRoom(Want want) {
      boolean alone = holders.stream().anyMatch(it -> it.want.mode() == Mode.EXCLUSIVE);
      return switch (want.mode()) {
        case EXCLUSIVE -> holders.isEmpty();
        case SHARED -> !alone;
        case PERMITS ->
            holders.stream().mapToInt(it -> it.want.permits()).sum() + want.permits() <= permits;
      };
    }

    /** Where one with this priority comes in. */
    int place(int priority) {
      int place = 0;
      while (place < waiters.size()
          && (waiters.get(place).want.priority() >= priority
              || promoted.contains(waiters.get(place)))) {
        place++;
      }
      return place;
    }
  }

  private static final class Model {
    final TreeMap<String, Lock> locks = new TreeMap<>();
    final Map<Long, Long> clients = new HashMap<>();
    final Map<Long, Long> floors = new HashMap<>();
    final Map<Long, Set<Long>> cancelled = new HashMap<>();
    final Map<Long, Map<Integer, String>> bundles = new HashMap<>();
    final Map<String, Long> shown = new HashMap<>();
    long position;
    long time;

    LockResult apply(long session, Change change) {
      long current = clients.getOrDefault(session, 0L);
      if (change instanceof Open open) {
        if (current == open.client()) {
          return new Done();
        } else if (current != open.expected()) {
          return new NotOpen(current);
        }
        end(session, open.client() != 0);
        if (open.client() != 0) {
          clients.put(session, open.client());
          floors.put(session, open.floor());
          bundles.put(session, new HashMap<>());
        }
        return new Done();
      } else if (change instanceof Enter enter) {
        if (current != enter.client()) {
          return new NotOpen(current);
        }
        bundles.get(session).putIfAbsent(enter.bundle(), enter.name());
        return new Done();
      } else if (change instanceof Leave leave) {
        if (current != leave.client()) {
          return new NotOpen(current);
        }
        remove(it -> it.session == session && it.bundle == leave.bundle(), false);
        bundles.get(session).remove(leave.bundle());
        return new Done();
      } else if (change instanceof Acquire acquire) {
        return current == acquire.client() ? acquire(session, acquire) : new NotOpen(current);
      } else if (change instanceof Cancel cancel) {
        if (current != cancel.client()) {
          return new NotOpen(current);
        }
        floors.merge(session, cancel.floor(), Math::max);
        if (!remove(it -> it.session == session && it.request == cancel.request(), false)) {
          cancelled.computeIfAbsent(session, s -> new HashSet<>()).add(cancel.request());
        }
        return new Cancelled();
      } else if (change instanceof Release release) {
        return release(release);
      } else if (change instanceof Promote promote) {
        return promote(promote);
      } else if (change instanceof Settle) {
        settle();
        return new Done();
      } else if (change instanceof Show show) {
        long last = shown.getOrDefault(show.resource(), 0L);
        shown.merge(show.resource(), show.token(), Math::max);
        return show.token() < last ? new Refused(last) : new Done();
      }
      throw new AssertionError(change);
    }

    private LockResult acquire(long session, Acquire acquire) {
      floors.merge(session, acquire.floor(), Math::max);
      for (Lock lock : locks.values()) {
        for (Asked it : lock.holders) {
          if (it.session == session && it.request == acquire.request()) {
            return new Granted(session, it.token);
          }
        }
        for (Asked it : lock.waiters) {
          if (it.session == session && it.request == acquire.request()) {
            return new Queued(session);
          }
        }
      }
      if (acquire.request() < floors.get(session)
          || cancelled.getOrDefault(session, Set.of()).contains(acquire.request())) {
        return new Cancelled();
      } else if (!bundles.get(session).containsKey(acquire.bundle())) {
        return new NotEntered();
      }
      Want want = acquire.want();
      Lock lock = locks.computeIfAbsent(acquire.name(), name -> new Lock());
      if (!lock.isIdle() && lock.permits != want.of()) {
        return new OtherKind(lock.permits);
      }
      int place = lock.place(want.priority());
      boolean now = place == 0 && time >= lock.delayedUntil;
      if (lock.isIdle()) {
        if (!now && acquire.queue() == 0) {
          return new Busy();
        }
        lock.permits = want.of();
      }
      Asked asked = new Asked(session, acquire.request(), acquire.bundle(), want, time);
      if (now && lock.hasRoom(want)) {
        grant(lock, asked);
        return new Granted(session, asked.token);
      } else if (acquire.queue() == 0) {
        return new Busy();
      }
      lock.waiters.add(place, asked);
      return new Queued(session);
    }

    private LockResult release(Release release) {
      Lock lock = locks.computeIfAbsent(release.name(), name -> new Lock());
      if (lock.holders.stream().anyMatch(it -> it.token == release.token())) {
        lock.holders.removeIf(it -> it.token == release.token());
        serve(lock);
        return new Done();
      }
      for (Asked holder : lock.holders) {
        if (holder.want.mode() == Mode.EXCLUSIVE) {
          return new Refused(holder.token);
        }
      }
      return release.token() > 0 && release.token() <= lock.last ? new Done() : new Refused(0);
    }

    private LockResult promote(Promote promote) {
      Lock lock = locks.computeIfAbsent(promote.name(), name -> new Lock());
      for (Asked it : List.copyOf(lock.waiters)) {
        if (node(it.session).equals(promote.node())) {
          lock.waiters.remove(it);
          lock.waiters.add(0, it);
          lock.promoted.add(it);
          lock.holders.forEach(holder -> holder.askedToYield = true);
          serve(lock);
          return new Done();
        }
      }
      return new Refused(0);
    }

    void end(long session, boolean delays) {
      remove(it -> it.session == session, delays);
      clients.remove(session);
      floors.remove(session);
      cancelled.remove(session);
      bundles.remove(session);
      settle();
    }

    private boolean remove(Predicate<Asked> which, boolean delays) {
      boolean any = false;
      for (Lock lock : locks.values()) {
        boolean here = lock.waiters.removeIf(which);
        for (Asked holder : List.copyOf(lock.holders)) {
          if (which.test(holder)) {
            here = true;
            lock.holders.remove(holder);
            if (delays && holder.want.delayMillis() > 0) {
              lock.delayedUntil = Math.max(lock.delayedUntil, time + holder.want.delayMillis());
            }
          }
        }
        if (here) {
          serve(lock);
        }
        any |= here;
      }
      return any;
    }

    private void settle() {
      locks.values().stream().filter(lock -> lock.delayedUntil <= time).forEach(this::serve);
    }

    private void serve(Lock lock) {
      while (!lock.waiters.isEmpty()
          && time >= lock.delayedUntil
          && lock.hasRoom(lock.waiters.get(0).want)) {
        grant(lock, lock.waiters.remove(0));
      }
    }

    private void grant(Lock lock, Asked asked) {
      lock.last = Math.max(position, lock.last + 1);
      asked.token = lock.last;
      asked.grantedMillis = time;
      lock.holders.add(asked);
    }

    List<LockInfo> all() {
      List<LockInfo> infos = new ArrayList<>();
      locks.forEach(
          (name, lock) -> {
            if (lock.isIdle() && time >= lock.delayedUntil) {
              return;
            }
            lock.holders.sort(Comparator.comparingLong(it -> it.token));
            infos.add(
                new LockInfo(
                    name,
                    lock.permits,
                    lock.holders.stream().map(this::holder).toList(),
                    lock.holders.size(),
                    lock.waiters.stream().map(this::waiter).toList(),
                    lock.waiters.size(),
                    time < lock.delayedUntil ? lock.delayedUntil : 0));
          });
      return infos;
    }

    private LockInfo.Holder holder(Asked it) {
      return new LockInfo.Holder(
          it.token,
          node(it.session),
          it.session,
          bundles.get(it.session).get(it.bundle),
          it.want.mode(),
          it.want.permits(),
          it.grantedMillis,
          it.askedToYield,
          it.want.note());
    }

    private LockInfo.Waiter waiter(Asked it) {
      return new LockInfo.Waiter(
          node(it.session),
          it.session,
          bundles.get(it.session).get(it.bundle),
          it.want.mode(),
          it.want.permits(),
          it.want.priority(),
          it.sinceMillis,
          it.want.note());
    }
  }

  private static NodeId node(long session) {
    return new NodeId("n" + session);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void agreesWithTheModel(long seed) throws IOException {
    Random random = new Random(seed);
    Model model = new Model();
    LockTable table = new LockTable();
    Map<String, Long> tokens = new HashMap<>();
    for (int step = 0; step < 4_000; step++) {
      model.position += 1 + random.nextInt(3);
      model.time += random.nextInt(3) == 0 ? 0 : random.nextInt(200);
      long session = 1L + random.nextInt(3);
      String at = "seed " + seed + ", step " + step;
      if (random.nextInt(40) == 0) {
        byte[] none = {};
        table.apply(new Entry(Entry.Kind.SESSION_ENDED, model.position, model.time, session, none));
        model.end(session, true);
      } else {
        Change change = change(random, session, step, model);
        Entry entry =
            new Entry(Entry.Kind.COMMAND, model.position, model.time, session, change.encode());
        assertEquals(
            model.apply(session, change),
            LockResult.decode(table.apply(entry)),
            () -> at + ": " + change);
      }
      byte[] page = table.query(new Page("", null, 1000).encode());
      List<LockInfo> locks = ((Locks) LockResult.decode(page)).locks();
      assertEquals(model.all(), locks, at);
      for (LockInfo lock : locks) {
        for (LockInfo.Holder holder : lock.holders()) {
          long before = tokens.getOrDefault(lock.name(), 0L);
          assertTrue(holder.token() >= lock.holders().get(0).token(), at);
          tokens.put(lock.name(), Math.max(before, holder.token()));
        }
      }
      if (random.nextInt(50) == 0) {
        byte[] snapshot = TestGroup.snapshot(table);
        LockState before = table.state();
        table = new LockTable();
        table.restore(new ByteArrayInputStream(snapshot));
        assertEquals(before, table.state(), at);
        assertArrayEquals(snapshot, TestGroup.snapshot(table), at);
      }
    }
  }

  private static Want want(Random random, String name) {
    int priority = random.nextInt(4) == 0 ? random.nextInt(10) : 0;
    int delay = random.nextInt(3) == 0 ? random.nextInt(1_000) : 0;
    String note = random.nextInt(5) == 0 ? "note" : "";
    // One name is mostly a semaphore, one is used for anything.
    boolean semaphore = name.equals("lock0") || (name.equals("lock3") && random.nextInt(2) == 0);
    if (semaphore && random.nextInt(30) != 0) {
      return new Want(Mode.PERMITS, 1 + random.nextInt(3), 3, priority, delay, note);
    }
    Mode mode = random.nextInt(3) == 0 ? Mode.EXCLUSIVE : Mode.SHARED;
    return new Want(mode, 0, 0, priority, delay, note);
  }

  private static Change change(Random random, long session, int step, Model model) {
    long client = session * 10 + random.nextInt(2);
    if (random.nextInt(8) != 0) {
      client = model.clients.getOrDefault(session, client);
    }
    long request = 1L + Math.max(0, step / 4 - random.nextInt(12));
    long floor = Math.max(1, request - random.nextInt(20));
    String name = "lock" + random.nextInt(4);
    int bundle = 1 + random.nextInt(2);
    return switch (random.nextInt(20)) {
      case 0 ->
          new Open(
              model.clients.getOrDefault(session, 0L),
              random.nextInt(6) == 0 ? 0 : client,
              floor,
              node(session));
      case 1 -> new Enter(client, bundle, "bundle" + random.nextInt(2));
      case 2, 3, 4, 5, 6, 7, 8, 9 ->
          new Acquire(
              client,
              request,
              floor,
              bundle,
              random.nextInt(4) == 0 ? 0 : 10_000,
              name,
              want(random, name));
      case 10, 11 -> new Cancel(client, request, floor);
      case 12 -> random.nextInt(4) == 0 ? new Leave(client, bundle) : new Settle();
      case 13 -> new Promote(name, node(1L + random.nextInt(3)));
      case 14 -> new Show(name, 1 + step / 2 + random.nextInt(5));
      default -> {
        Lock lock = model.locks.getOrDefault(name, new Lock());
        long token =
            lock.holders.isEmpty()
                ? step
                : lock.holders.get(random.nextInt(lock.holders.size())).token;
        String reason = random.nextInt(4) == 0 ? "because" : "";
        yield new Release(name, Math.max(0, token - random.nextInt(3) / 2), reason);
      }
    };
  }
}
