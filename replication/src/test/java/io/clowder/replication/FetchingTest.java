// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.storage.Snapshots;
import io.clowder.replication.Contents.Versioned;
import io.clowder.replication.ReplicaMessage.Offer;
import io.clowder.replication.ReplicaMessage.Stamps;
import io.clowder.replication.StoreMessage.AskPart;
import io.clowder.replication.StoreMessage.TellPart;
import io.clowder.storage.DiskStorage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pcollections.TreePMap;

/** All by hand: the background's tasks, the copy's and the clock. */
final class FetchingTest implements Fetching.Destination {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;
  private static final int PART = Limits.SNAPSHOT_CHUNK_BYTES;
  private static final NodeId N1 = new NodeId("n1");
  private static final ReplicaId FIRST = new ReplicaId(N1, 1);
  private static final ReplicaId SECOND_ONE = new ReplicaId(new NodeId("n2"), 2);

  @TempDir private Path directory;
  private DiskStorage storage;
  private Snapshots snapshots;
  private Fetching fetching;
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private final List<AskPart> asked = new ArrayList<>();
  private final List<Long> fetched = new ArrayList<>();
  private long now = 77 * SECOND;

  @BeforeEach
  void open() throws IOException {
    storage = DiskStorage.open(directory, new NodeId("n3"), "c", new Random(1));
    snapshots = storage.openSnapshots("stores/s/3");
    // A part in a tenth of a second.
    fetching = new Fetching(tasks::add, tasks::add, snapshots, 10L * PART, this);
  }

  @AfterEach
  void close() throws IOException {
    storage.close();
  }

  @Override
  public void ask(NodeId from, AskPart part) {
    asked.add(part);
  }

  @Override
  public void fetched(Snapshots.Snapshot snapshot, Image image) {
    assertEquals(snapshot.position(), image.seq());
    fetched.add(image.seq());
  }

  private void work() {
    while (!tasks.isEmpty()) {
      tasks.remove().run();
    }
  }

  /** The time goes on, and nothing else happens. */
  private void pass(long nanos) {
    now += nanos;
    fetching.tick(now, now + SECOND);
    work();
  }

  private static byte[] content(long seq) {
    TreePMap<String, Versioned> entries = TreePMap.empty();
    Random random = new Random(seq);
    for (int i = 0; i < 6; i++) {
      byte[] value = new byte[PART / 2];
      random.nextBytes(value);
      entries = entries.plus("k" + i, new Versioned(value, i + 1));
    }
    try {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      new Image(seq, 1, entries, new byte[0]).writeTo(out);
      return out.toByteArray();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Offer offer(long seq, byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(content);
    return new Offer(1, Stamps.NONE, seq, content.length, (int) crc.getValue());
  }

  private void offered(ReplicaId from, Offer offer) {
    fetching.offered(from, offer, now);
    work();
    pass(0);
  }

  private AskPart last() {
    return asked.get(asked.size() - 1);
  }

  private void tell(ReplicaId from, byte[] content) {
    AskPart part = last();
    int end = (int) Math.min(content.length, part.offset() + PART);
    byte[] bytes = Arrays.copyOfRange(content, (int) part.offset(), end);
    fetching.told(from.node(), new TellPart(part.seq(), part.offset(), bytes), now);
    work();
  }

  @Test
  void asksForOnePartAfterAnotherAsFastAsItMay() {
    byte[] content = content(9);
    offered(FIRST, offer(9, content));
    for (int i = 0; i < 3; i++) {
      assertEquals(List.of((long) i * PART, i + 1L), List.of(last().offset(), (long) asked.size()));
      tell(FIRST, content);
      pass(99 * MILLI);
      assertEquals(i + 1, asked.size(), "not sooner");
      offered(FIRST, offer(9, content));
      assertEquals(i + 1, asked.size(), "the same offer again");
      pass(MILLI);
    }
    tell(FIRST, content);
    assertEquals(List.of(9L), fetched);
    assertEquals(4, asked.size());
    pass(20 * SECOND);
    assertEquals(4, asked.size());
  }

  @Test
  void whatIsLostIsAskedForAgain() {
    byte[] content = content(9);
    offered(FIRST, offer(9, content));
    pass(501 * MILLI);
    assertEquals(List.of(new AskPart(9, 0), new AskPart(9, 0)), asked);
    tell(FIRST, content);
    pass(SECOND);
    AskPart second = last();
    assertEquals(PART, second.offset());
    fetching.told(N1, new TellPart(9, 0, new byte[PART]), now);
    fetching.told(SECOND_ONE.node(), new TellPart(9, PART, new byte[PART]), now);
    fetching.told(N1, new TellPart(8, PART, new byte[PART]), now);
    work();
    pass(SECOND);
    assertEquals(second, last(), "what was not asked for is not taken");
  }

  @Test
  void whatComesNoFurtherIsGivenUpAndGoneOnWithLater() {
    byte[] content = content(9);
    offered(FIRST, offer(9, content));
    tell(FIRST, content);
    pass(SECOND);
    pass(11 * SECOND);
    int count = asked.size();
    pass(SECOND);
    assertEquals(count, asked.size());
    offered(SECOND_ONE, offer(9, content));
    assertEquals(new AskPart(9, PART), last(), "what has come was kept");
    for (int i = 0; i < 3; i++) {
      tell(SECOND_ONE, content);
      pass(SECOND);
    }
    assertEquals(List.of(9L), fetched);
  }

  @Test
  void aNewerOfferReplacesAnOlder() {
    offered(FIRST, offer(9, content(9)));
    tell(FIRST, content(9));
    byte[] newer = content(10);
    offered(FIRST, offer(10, newer));
    assertEquals(new AskPart(10, 0), last());
    offered(FIRST, offer(9, content(9)));
    assertEquals(new AskPart(10, 0), last());
    for (int i = 0; i < 4; i++) {
      tell(FIRST, newer);
      pass(SECOND);
    }
    assertEquals(List.of(10L), fetched);
  }

  @Test
  void whatIsNotWhatWasOfferedIsNotTaken() {
    byte[] content = content(9);
    byte[] other = content.clone();
    other[PART] ^= 1;
    offered(FIRST, offer(9, content));
    for (int i = 0; i < 4; i++) {
      tell(FIRST, other);
      pass(SECOND);
    }
    assertEquals(List.of(), fetched);
    offered(FIRST, offer(9, content));
    for (int i = 0; i < 4; i++) {
      tell(FIRST, content);
      pass(SECOND);
    }
    assertEquals(List.of(9L), fetched);
  }

  @Test
  void whoeverHasItNoMoreIsNotAskedOnAndOn() {
    offered(FIRST, offer(9, content(9)));
    fetching.told(N1, new TellPart(9, 0, new byte[0]), now);
    work();
    int count = asked.size();
    offered(FIRST, offer(9, content(9)));
    assertEquals(count, asked.size(), "not at once");
    now += 2 * SECOND;
    offered(FIRST, offer(9, content(9)));
    assertTrue(asked.size() > count);
  }
}
