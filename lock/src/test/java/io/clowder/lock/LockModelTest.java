// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.lock.LockInfo;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Change;
import io.clowder.lock.LockRequest.Open;
import io.clowder.lock.LockRequest.Page;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockResult.Busy;
import io.clowder.lock.LockResult.Cancelled;
import io.clowder.lock.LockResult.Granted;
import io.clowder.lock.LockResult.Locks;
import io.clowder.lock.LockResult.NotOpen;
import io.clowder.lock.LockResult.Opened;
import io.clowder.lock.LockResult.Queued;
import io.clowder.lock.LockResult.Refused;
import io.clowder.lock.LockResult.Released;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The table against the plainest one that could be written, over random entries. */
class LockModelTest {
  /** A request in a queue; the first of a queue holds the lock, with a token. */
  private static final class Asked {
    final long session;
    final long request;
    long token;

    Asked(long session, long request) {
      this.session = session;
      this.request = request;
    }
  }

  /** Queues in plain lists, searched from end to end. */
  private static final class Model {
    final TreeMap<String, List<Asked>> queues = new TreeMap<>();
    final Map<Long, Long> clients = new HashMap<>();
    final Map<Long, Long> floors = new HashMap<>();
    final Map<Long, Set<Long>> cancelled = new HashMap<>();
    final Map<String, Long> lastTokens = new HashMap<>();

    LockResult apply(long session, Change change, long position) {
      if (change instanceof Open open) {
        long current = clients.getOrDefault(session, 0L);
        if (current != open.client() && current != open.expected()) {
          return new NotOpen(current);
        }
        if (current != open.client()) {
          end(session, position);
          if (open.client() != 0) {
            clients.put(session, open.client());
            floors.put(session, open.floor());
          }
        }
        return new Opened();
      } else if (change instanceof Acquire acquire) {
        return acquire(session, acquire, position);
      } else if (change instanceof Cancel cancel) {
        if (clients.getOrDefault(session, 0L) != cancel.client()) {
          return new NotOpen(clients.getOrDefault(session, 0L));
        }
        floors.merge(session, cancel.floor(), Math::max);
        boolean found = false;
        for (List<Asked> queue : queues.values()) {
          found |= queue.removeIf(a -> a.session == session && a.request == cancel.request());
        }
        if (!found) {
          cancelled.computeIfAbsent(session, s -> new HashSet<>()).add(cancel.request());
        }
        grant(position);
        return new Cancelled();
      } else if (change instanceof Release release) {
        List<Asked> queue = queues.getOrDefault(release.name(), List.of());
        if (queue.isEmpty()) {
          return release.token() > 0
                  && release.token() <= lastTokens.getOrDefault(release.name(), 0L)
              ? new Released()
              : new Refused(0);
        }
        if (queue.get(0).token != release.token()) {
          return new Refused(queue.get(0).token);
        }
        queue.remove(0);
        grant(position);
        return new Released();
      }
      throw new AssertionError(change);
    }

    private LockResult acquire(long session, Acquire acquire, long position) {
      if (clients.getOrDefault(session, 0L) != acquire.client()) {
        return new NotOpen(clients.getOrDefault(session, 0L));
      }
      floors.merge(session, acquire.floor(), Math::max);
      for (List<Asked> queue : queues.values()) {
        for (Asked asked : queue) {
          if (asked.session == session && asked.request == acquire.request()) {
            return asked.token > 0 ? new Granted(session, asked.token) : new Queued(session);
          }
        }
      }
      if (acquire.request() < floors.get(session)
          || cancelled.getOrDefault(session, Set.of()).contains(acquire.request())) {
        return new Cancelled();
      }
      List<Asked> queue = queues.computeIfAbsent(acquire.name(), n -> new ArrayList<>());
      if (!queue.isEmpty() && !acquire.queue()) {
        return new Busy();
      }
      queue.add(new Asked(session, acquire.request()));
      grant(position);
      return queue.size() == 1 ? new Granted(session, position) : new Queued(session);
    }

    void end(long session, long position) {
      queues.values().forEach(queue -> queue.removeIf(a -> a.session == session));
      clients.remove(session);
      floors.remove(session);
      cancelled.remove(session);
      grant(position);
    }

    /** Whoever is first in line holds. */
    private void grant(long position) {
      queues.forEach(
          (name, queue) -> {
            if (!queue.isEmpty() && queue.get(0).token == 0) {
              queue.get(0).token = position;
              lastTokens.put(name, position);
            }
          });
    }

    List<LockInfo> all() {
      List<LockInfo> locks = new ArrayList<>();
      queues.forEach(
          (name, queue) -> {
            if (!queue.isEmpty()) {
              Asked first = queue.get(0);
              List<NodeId> waiters =
                  queue.stream().skip(1).map(asked -> node(asked.session)).toList();
              locks.add(
                  new LockInfo(
                      name,
                      first.token,
                      node(first.session),
                      first.session,
                      first.token * 7,
                      waiters));
            }
          });
      return locks;
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
    long position = 0;
    for (int step = 0; step < 2_500; step++) {
      position += 1 + random.nextInt(3);
      long session = 1L + random.nextInt(3);
      String at = "seed " + seed + ", step " + step;
      if (random.nextInt(25) == 0) {
        byte[] none = {};
        table.apply(new Entry(Entry.Kind.SESSION_ENDED, position, position * 7, session, none));
        model.end(session, position);
      } else {
        Change change = change(random, session, step, model);
        Entry entry =
            new Entry(Entry.Kind.COMMAND, position, position * 7, session, change.encode());
        assertEquals(
            model.apply(session, change, position), LockResult.decode(table.apply(entry)), at);
      }
      byte[] page = table.query(new Page("", null, 1000).encode());
      assertEquals(model.all(), ((Locks) LockResult.decode(page)).locks(), at);
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

  private static Change change(Random random, long session, int step, Model model) {
    long client = session * 10 + random.nextInt(2);
    if (random.nextInt(8) != 0) {
      client = model.clients.getOrDefault(session, client);
    }
    long request = 1L + Math.max(0, step / 4 - random.nextInt(12));
    long floor = Math.max(1, request - random.nextInt(20));
    String name = "lock" + random.nextInt(4);
    return switch (random.nextInt(10)) {
      case 0 ->
          new Open(
              model.clients.getOrDefault(session, 0L),
              random.nextInt(6) == 0 ? 0 : client,
              floor,
              node(session));
      case 1, 2, 3, 4 -> new Acquire(client, request, floor, random.nextInt(4) != 0, name);
      case 5, 6 -> new Cancel(client, request, floor);
      default -> {
        List<Asked> queue = model.queues.getOrDefault(name, List.of());
        long token = queue.isEmpty() ? step : queue.get(0).token;
        yield new Release(name, Math.max(0, token - random.nextInt(3)));
      }
    };
  }
}
