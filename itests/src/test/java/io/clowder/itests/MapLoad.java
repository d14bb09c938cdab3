// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import io.clowder.api.dht.DhtVersion;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Clients of one node's map, of its replicated store or of its ring, from its shell, who write down
 * what they asked and were told.
 */
final class MapLoad {
  private static final int CLIENTS = 3;
  private static final int KEYS = 4;
  private static final Pattern VALUE = Pattern.compile("\"value\": \"(\\d+)\"");
  private static final Pattern VERSION = Pattern.compile("\"version\": (\\d+)[,\\s}]");

  /** Of a ring, whose versions have two parts. */
  private static final Pattern RING_VERSION =
      Pattern.compile("\"version\": \"(\\d+\\.[0-9a-f]+)\"");

  private final Prompt prompt;
  private final String node;
  private final String scope;
  private final Witness witness;
  private final AtomicInteger done = new AtomicInteger();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger failed = new AtomicInteger();
  private volatile boolean ended;
  private volatile String problem = "nothing failed";

  /** A node's shell. */
  interface Prompt {
    /**
     * Runs a line.
     *
     * @throws IOException if the node is away, or goes while it is at it: it may have been done
     */
    Shell.Answer run(String line) throws IOException;
  }

  /**
   * What all clients asked and were told. Of two writes of a key, the later one has the larger
   * version: so the order that explains everything, if there is one, is that of the versions, and
   * needs no search.
   */
  static final class Witness {
    private static final long NEVER = Long.MAX_VALUE;

    private final List<Asked> asked = new ArrayList<>();
    private final List<Long> writtenNanos = new ArrayList<>();
    private long time;
    private int clients;
    private long values;

    /** One operation; a value of 0 is none, an end of {@link #NEVER} tells nothing. */
    private record Asked(
        String key, boolean write, long begin, long end, long value, DhtVersion version) {}

    private synchronized int client() {
      return ++clients;
    }

    private synchronized long value() {
      return ++values;
    }

    private synchronized int begin(String key, boolean write, long value) {
      asked.add(new Asked(key, write, ++time, NEVER, value, DhtVersion.NONE));
      return asked.size() - 1;
    }

    private synchronized void done(int number, long value, DhtVersion version) {
      Asked begun = asked.get(number);
      asked.set(number, new Asked(begun.key, begun.write, begun.begin, ++time, value, version));
      if (begun.write) {
        writtenNanos.add(System.nanoTime());
      }
    }

    /** When the first write after a moment was acknowledged; 0 if none was. */
    synchronized long firstWriteNanos(long sinceNanos) {
      return writtenNanos.stream().filter(it -> it - sinceNanos > 0).findFirst().orElse(0L);
    }

    /** The longest time since a moment in which no write was acknowledged. */
    synchronized long longestPauseMillis(long sinceNanos) {
      long last = sinceNanos;
      long longest = 0;
      for (long written : writtenNanos) {
        if (written - sinceNanos > 0) {
          longest = Math.max(longest, written - last);
          last = written;
        }
      }
      return longest / 1_000_000;
    }

    /** Checks each key; how many operations were completed. */
    synchronized int check() {
      assertEquals("stale", List.of(), stale());
      return done();
    }

    /** How many operations were completed. */
    synchronized int done() {
      return (int) asked.stream().filter(one -> one.end != NEVER).count();
    }

    /**
     * Checks each key but for one thing: which reads, if any, told of less than somebody was told
     * before they were asked.
     */
    synchronized List<String> stale() {
      Map<String, List<Asked>> keys = new TreeMap<>();
      asked.forEach(one -> keys.computeIfAbsent(one.key, key -> new ArrayList<>()).add(one));
      List<String> stale = new ArrayList<>();
      keys.values().forEach(it -> stale.addAll(checkKey(it)));
      return stale;
    }

    private static List<String> checkKey(List<Asked> all) {
      Map<Long, Asked> writes = new HashMap<>();
      all.stream().filter(Asked::write).forEach(write -> writes.put(write.value, write));
      Map<Long, DhtVersion> versions = new HashMap<>();
      List<Asked> told = new ArrayList<>(all.stream().filter(one -> one.end != NEVER).toList());
      for (Asked one : told) {
        DhtVersion known = versions.putIfAbsent(one.value, one.version);
        assertTrue(
            one + ": its value has version " + known, known == null || known.equals(one.version));
        Asked write = writes.get(one.value);
        assertTrue(
            one + " was read before it was written, or never was",
            one.value == 0 || (write != null && write.begin < one.end));
      }
      assertEquals(
          "values with one version",
          versions.size(),
          versions.values().stream().distinct().count());
      return checkOrder(told);
    }

    /** Nobody writes less than what somebody was told before he asked; who reads less. */
    private static List<String> checkOrder(List<Asked> told) {
      List<String> stale = new ArrayList<>();
      List<Asked> byEnd = new ArrayList<>(told);
      byEnd.sort(Comparator.comparingLong(Asked::end));
      told.sort(Comparator.comparingLong(Asked::begin));
      int ended = 0;
      Asked newest = null;
      for (Asked one : told) {
        for (; byEnd.get(ended).end < one.begin; ended++) {
          if (newest == null || byEnd.get(ended).version.compareTo(newest.version) > 0) {
            newest = byEnd.get(ended);
          }
        }
        int order = newest == null ? 1 : one.version.compareTo(newest.version);
        assertFalse(one + " came after " + newest, one.write && order <= 0);
        if (order < 0) {
          stale.add(one + " came after " + newest);
        }
      }
      return stale;
    }
  }

  /**
   * Starts it.
   *
   * @param scope of the commands, {@code kv}, {@code store} or {@code dht}
   */
  MapLoad(Prompt prompt, String node, String scope, Witness witness) {
    this.prompt = prompt;
    this.node = node;
    this.scope = scope;
    this.witness = witness;
    for (int i = 0; i < CLIENTS; i++) {
      int client = witness.client();
      Thread thread = new Thread(() -> run(client), "client-" + client);
      threads.add(thread);
      thread.start();
    }
  }

  String node() {
    return node;
  }

  int done() {
    return done.get();
  }

  /** Waits until so many more were answered as they should. */
  void awaitProgress(int more, Duration wait) throws Exception {
    int before = done.get();
    boolean getsOn = Deadline.in(wait).until(() -> done.get() >= before + more);
    assertTrue(node + " does not get on: " + problem, getsOn);
  }

  /** How many were answered, but not with what was asked for. */
  int failed() {
    return failed.get();
  }

  /** What went wrong last. */
  String problem() {
    return problem;
  }

  void end() throws InterruptedException {
    ended = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }

  /** Reads every key, once more; for when all has ended. */
  void readAll() throws IOException {
    for (int i = 0; i < KEYS; i++) {
      int before = done.get();
      get("key-" + i);
      assertEquals(node + ": " + problem, before + 1, done.get());
    }
  }

  private void run(int client) {
    Random random = new Random(client);
    while (!ended) {
      String key = "key-" + random.nextInt(KEYS);
      try {
        if (random.nextBoolean()) {
          get(key);
        } else {
          put(key);
        }
      } catch (IOException e) {
        // The node is away: what was asked may have happened, and soon it is back.
        problem = e.toString();
        LockSupport.parkNanos(20_000_000);
      }
    }
  }

  private void get(String key) throws IOException {
    int asked = witness.begin(key, false, 0);
    Shell.Answer answer = prompt.run(scope + ":get " + key + " -o json");
    if (answer.status() == 0) {
      told(asked, number(VALUE, answer.out()), version(answer.out()));
    } else if (answer.err().contains("no such key")) {
      told(asked, 0, DhtVersion.NONE);
    } else {
      fail(answer.err());
    }
  }

  private void put(String key) throws IOException {
    long value = witness.value();
    int asked = witness.begin(key, true, value);
    Shell.Answer answer = prompt.run(scope + ":put " + key + " " + value + " -o json");
    if (answer.status() == 0) {
      told(asked, value, version(answer.out()));
    } else {
      fail(answer.err());
    }
  }

  private void told(int asked, long value, DhtVersion version) {
    witness.done(asked, value, version);
    done.incrementAndGet();
  }

  private void fail(String why) {
    problem = why;
    failed.incrementAndGet();
  }

  private static DhtVersion version(String text) {
    Matcher ofRing = RING_VERSION.matcher(text);
    return ofRing.find()
        ? DhtVersion.parse(ofRing.group(1))
        : new DhtVersion(number(VERSION, text), 0);
  }

  private static long number(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.find()) {
      throw new AssertionError("no " + pattern + " in " + text);
    }
    return Long.parseLong(matcher.group(1));
  }
}
