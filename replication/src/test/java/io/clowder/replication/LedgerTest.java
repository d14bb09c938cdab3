// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.store.RequestId;
import io.clowder.replication.Contents.Versioned;
import io.clowder.replication.LogRecord.Effect;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pcollections.TreePMap;

class LedgerTest {
  private final Recorded outlet = new Recorded();
  private final Ledger ledger = new Ledger(new Recovered(Image.EMPTY), outlet);

  private static LogRecord put(long epoch, long seq) {
    Effect effect = new Effect("k" + seq, new byte[] {(byte) epoch});
    return new LogRecord(
        epoch, seq, new RequestId(1, seq), List.of(effect), new Answer.Changed(seq, false));
  }

  private void append(long epoch, int count) {
    for (int i = 0; i < count; i++) {
      ledger.append(put(epoch, ledger.log.end() + 1));
    }
  }

  private static Image image(long seq, long epoch) {
    Versioned shown = new Versioned(new byte[] {9}, seq);
    return new Image(seq, epoch, TreePMap.singleton("shown", shown), new byte[0]);
  }

  @Test
  void aSnapshotOfARecordThatIsHereKeepsWhatComesAfterIt() {
    append(1, 4);
    ledger.commit(1, it -> {});
    ledger.persisted(3);
    assertTrue(ledger.install(image(2, 1)));
    assertEquals(2, ledger.commit());
    assertEquals(4, ledger.log.end());
    assertEquals(3, ledger.persisted());
    assertEquals(4, outlet.written, "nothing is to be cut");
    assertNotNull(ledger.contents.get("shown"));
    assertNull(ledger.contents.get("k1"));
    ledger.persisted(4);
    assertEquals(4, ledger.persisted());
    ledger.commit(3, it -> {});
    assertNotNull(ledger.contents.get("k3"));
  }

  @Test
  void aSnapshotIsOnDiskThoughTheRecordsInItAreNot() {
    append(1, 4);
    assertTrue(ledger.install(image(3, 1)));
    assertEquals(3, ledger.persisted());
    ledger.persisted(2);
    assertEquals(3, ledger.persisted());
  }

  @Test
  void aSnapshotOfAnotherRecordMakesTheLogVoid() {
    append(1, 4);
    ledger.persisted(2);
    assertTrue(ledger.install(image(3, 2)));
    assertEquals(3, ledger.log.end());
    assertEquals(3, ledger.persisted());
    assertEquals(5, outlet.written, "the journal is cut, too");
    append(2, 1);
    ledger.persisted(4);
    assertEquals(3, ledger.persisted(), "that was the former record 4");
    ledger.persisted(5);
    assertEquals(3, ledger.persisted(), "and that the cut");
    ledger.persisted(6);
    assertEquals(4, ledger.persisted());
  }

  @Test
  void aSnapshotOfWhatIsCommittedChangesNothing() {
    append(1, 2);
    ledger.commit(2, it -> {});
    assertFalse(ledger.install(image(2, 1)));
    assertFalse(ledger.install(image(1, 1)));
    assertNull(ledger.contents.get("shown"));
    assertEquals(0, ledger.log.base());
  }

  @Test
  void onlyWhatIsInASnapshotIsForgottenAndNoMoreThanIsTooMuch() {
    append(1, 6);
    ledger.commit(5, it -> {});
    long size = ledger.log.get(1).size();
    ledger.forget(0);
    assertEquals(0, ledger.log.base());
    ledger.covered(4);
    ledger.covered(3);
    assertEquals(4, ledger.covered());
    ledger.forget(6 * size);
    assertEquals(0, ledger.log.base());
    ledger.forget(6 * size - 1);
    assertEquals(1, ledger.log.base());
    ledger.forget(0);
    assertEquals(4, ledger.log.base());
    assertEquals(2 * size, ledger.log.bytes());
  }

  @Test
  void afterACutOnlyNewWritesCount() {
    append(1, 3);
    ledger.persisted(3);
    ledger.truncate(1);
    assertEquals(1, ledger.persisted());
    append(2, 2);
    ledger.persisted(4);
    assertEquals(1, ledger.persisted(), "that is the cut");
    ledger.persisted(5);
    assertEquals(2, ledger.persisted());
    ledger.persisted(6);
    assertEquals(3, ledger.persisted());
  }

  @Test
  void whatIsReadBackIsOnDiskAndNotCommitted() {
    Recovered recovered = new Recovered(image(2, 1));
    recovered.append(put(1, 3));
    Ledger begun = new Ledger(recovered, outlet);
    assertEquals(2, begun.commit());
    assertEquals(2, begun.covered());
    assertEquals(3, begun.persisted());
    assertEquals(3, begun.log.end());
    assertEquals(2, begun.log.base());
    assertNotNull(begun.contents.get("shown"));
    assertNull(begun.contents.get("k3"));
    assertNotNull(begun.log.touch("k3"));
  }

  @Test
  void theImageIsOfWhatIsCommitted() {
    append(1, 2);
    append(3, 1);
    ledger.commit(2, it -> {});
    assertEquals(2, ledger.image().seq());
    assertEquals(1, ledger.image().epoch());
    assertEquals(2, ledger.image().entries().size());
    ledger.covered(2);
    ledger.forget(0);
    assertEquals(1, ledger.image().epoch());
  }
}
