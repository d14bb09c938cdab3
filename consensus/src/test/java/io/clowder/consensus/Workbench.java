// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import io.clowder.api.runtime.Completions;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** What several tests share: names, an executor that is run by hand, requests and their results. */
final class Workbench {
  static final NodeId N1 = new NodeId("n1");
  static final NodeId N2 = new NodeId("n2");
  static final NodeId N3 = new NodeId("n3");
  static final Segment SEGMENT = segment(0, 0x1122334455667788L, "instant", 0, N1);

  /** The incarnation of the other nodes' directories. */
  static final long DIRECTORY = 5;

  /** One millisecond in the units of the driver's clock. */
  static final long MILLIS = 1_000_000L;

  private Workbench() {}

  /** A segment without parameters, whose members listen on ports from 1024 on. */
  static Segment segment(
      int number, long incarnation, String protocol, long base, NodeId... members) {
    SortedMap<NodeId, Address> addresses = new TreeMap<>();
    for (NodeId member : members) {
      addresses.put(member, new Address("127.0.0.1", 1024 + addresses.size()));
    }
    return new Segment(number, incarnation, protocol, new TreeMap<>(), addresses, base);
  }

  /** An executor whose tasks run when the test says so. */
  static final class Tasks implements Executor {
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    int size() {
      return tasks.size();
    }

    void runOne() {
      tasks.remove().run();
    }

    /** Runs what there is, and what that leads to; says whether there was any. */
    boolean runAll() {
      boolean any = !tasks.isEmpty();
      while (!tasks.isEmpty()) {
        runOne();
      }
      return any;
    }
  }

  /** A message whose meaning is in the eye of the test. */
  record Note(String text) implements Message {}

  static final Codec<Message> NOTES =
      new Codec<>() {
        @Override
        public void write(Message value, WireWriter out) {
          out.writeString(((Note) value).text());
        }

        @Override
        public Message read(WireReader in) {
          return new Note(in.readString(1000));
        }
      };

  /** The session's side of requests, with nonces 101, 102, … */
  static final class Caller implements Requests.Identity {
    final Tasks executor = new Tasks();
    final Completions completions = new Completions(executor);
    final Requests requests;
    private long nonce = 100;
    long wallMillis = 1_700_000_000_000L;

    Caller() {
      requests = new Requests(this, completions, Lease.of(10_000));
    }

    @Override
    public Envelope.Open open(long nonce) {
      return new Envelope.Open(N1, 7, nonce, 10_000);
    }

    @Override
    public long nonce() {
      return ++nonce;
    }

    @Override
    public long wallMillis() {
      return wallMillis;
    }

    /** Opens the session as the log does. */
    void openSession(long id) {
      requests.opened(new Sessions.Session(id, N1, nonce, 10_000));
    }

    /** Admits and adds a command. */
    Requests.Pending submit(String machine, String command, long deadline) {
      requests.admit(bytes(command).length);
      Requests.Pending pending =
          new Requests.Pending(machine, bytes(command), deadline, new CompletableFuture<>());
      requests.add(pending);
      return pending;
    }

    void complete() {
      completions.flush();
      executor.runAll();
    }

    /** How many requests the count of outstanding ones holds; leaves it as it was. */
    int outstanding() {
      int free = 0;
      try {
        while (true) {
          requests.admit(0);
          free++;
        }
      } catch (CoordinationException full) {
        for (int i = 0; i < free; i++) {
          requests.leave(0);
        }
      }
      return Limits.PENDING_REQUESTS - free;
    }

    /** Fails unless every place and every byte was given back, exactly once. */
    void assertNothingHeld() {
      assertEquals(0, outstanding());
      requests.admit(Limits.PENDING_BYTES);
      assertThrows(CoordinationException.class, () -> requests.admit(1), "bytes given back twice");
      requests.leave(Limits.PENDING_BYTES);
    }
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A result that is there. */
  static <T> T done(CompletionStage<T> stage) {
    CompletableFuture<T> future = stage.toCompletableFuture();
    assertTrue(future.isDone(), "not completed");
    return future.join();
  }

  /** The failure of a stage that has failed. */
  static CoordinationException failure(CompletionStage<?> stage) {
    CompletableFuture<?> future = stage.toCompletableFuture();
    assertTrue(future.isDone(), "not completed");
    CompletionException thrown = assertThrows(CompletionException.class, future::join);
    return (CoordinationException) thrown.getCause();
  }

  /** The commands among envelopes. */
  static List<Envelope.Command> commands(List<byte[]> envelopes) {
    List<Envelope.Command> commands = new ArrayList<>();
    for (byte[] envelope : envelopes) {
      commands.add((Envelope.Command) Envelope.decode(envelope));
    }
    return commands;
  }

  static byte[] command(long session, long sequence, String machine, String payload) {
    return new Envelope.Command(session, sequence, 1, machine, bytes(payload)).encode();
  }

  static byte[] open(NodeId node, long nonce) {
    return new Envelope.Open(node, DIRECTORY, nonce, 10_000).encode();
  }
}
