// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import io.clowder.simulator.History;
import io.clowder.simulator.Linearizability;
import io.clowder.simulator.Operation.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Clients of one node's map, from its shell, who write down what they asked and were told. */
final class MapLoad {
  private static final int CLIENTS = 3;
  private static final int KEYS = 4;
  private static final Pattern VALUE = Pattern.compile("\"value\": \"(\\d+)\"");
  private static final Pattern VERSION = Pattern.compile("\"version\": (\\d+)");

  private final Shell shell;
  private final String node;
  private final Witness witness;
  private final AtomicInteger done = new AtomicInteger();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean ended;
  private volatile String problem = "nothing failed";

  /** What all clients asked and were told. */
  static final class Witness {
    private final History history = new History();
    private int clients;
    private long values;

    private synchronized int client() {
      return ++clients;
    }

    private synchronized long value() {
      return ++values;
    }

    private synchronized int begin(int client, String key, Kind kind, long value) {
      return history.begin(client, key, kind, value, 0);
    }

    private synchronized void done(int number, long value, long version) {
      history.done(number, value, version);
    }

    /** Checks the history; how many operations were completed. */
    synchronized int check() {
      Linearizability.check(history);
      return history.completed();
    }
  }

  MapLoad(Shell shell, String node, Witness witness) {
    this.shell = shell;
    this.node = node;
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

  private void run(int client) {
    Random random = new Random(client);
    while (!ended) {
      String key = "key-" + random.nextInt(KEYS);
      try {
        if (random.nextBoolean()) {
          get(client, key);
        } else {
          put(client, key);
        }
      } catch (IOException e) {
        // The node is away: what was asked may have happened, and soon it is back.
        problem = e.toString();
        LockSupport.parkNanos(20_000_000);
      }
    }
  }

  private void get(int client, String key) throws IOException {
    int asked = witness.begin(client, key, Kind.GET, 0);
    Shell.Answer answer = shell.run("kv:get " + key + " -o json");
    if (answer.status() == 0) {
      told(asked, number(VALUE, answer.out()), number(VERSION, answer.out()));
    } else if (answer.err().contains("no such key")) {
      told(asked, 0, 0);
    } else {
      problem = answer.err();
    }
  }

  private void put(int client, String key) throws IOException {
    long value = witness.value();
    int asked = witness.begin(client, key, Kind.PUT, value);
    Shell.Answer answer = shell.run("kv:put " + key + " " + value + " -o json");
    if (answer.status() == 0) {
      told(asked, value, number(VERSION, answer.out()));
    } else {
      problem = answer.err();
    }
  }

  private void told(int asked, long value, long version) {
    witness.done(asked, value, version);
    done.incrementAndGet();
  }

  private static long number(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.find()) {
      throw new AssertionError("no " + pattern + " in " + text);
    }
    return Long.parseLong(matcher.group(1));
  }
}
