// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.DIRECTORY;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.SEGMENT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.wire.WireReader;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class JournalWriterTest {
  @Test
  void recordsHaveTheirKindAndTheirBytes() throws IOException {
    MemoryJournal journal = new MemoryJournal().reopened((tag, bytes) -> {});
    JournalWriter writer =
        new JournalWriter(
            journal,
            Workbench.NOTES,
            Runnable::run,
            new GatheringJournal.Outcome() {
              @Override
              public void enqueue(Runnable task) {
                task.run();
              }

              @Override
              public void failed(IOException failure) {
                throw new AssertionError(failure);
              }
            });
    writer.append(9, SEGMENT);
    writer.append(7, new Workbench.Note("note 7"));
    writer.append(9, N2, DIRECTORY);
    writer.flush(0);
    WireReader first = new WireReader(journal.durable().get(0).bytes());
    assertEquals(JournalWriter.SEGMENT, first.readByte());
    assertEquals(SEGMENT, Segment.read(first));
    WireReader second = new WireReader(journal.durable().get(1).bytes());
    assertEquals(JournalWriter.CORE, second.readByte());
    assertEquals(new Workbench.Note("note 7"), Workbench.NOTES.read(second));
    assertEquals(0, second.remaining());
    WireReader third = new WireReader(journal.durable().get(2).bytes());
    assertEquals(JournalWriter.DIRECTORY, third.readByte());
    assertEquals("n2", third.readString(64));
    assertEquals(DIRECTORY, third.readLong());
    assertEquals(9, journal.durable().get(0).tag(), "a trim before it leaves it");
  }
}
