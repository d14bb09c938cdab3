// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.runtime.Loop;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.wire.WireWriter;
import io.clowder.replication.Contents.Versioned;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a copy was at the writes that touched the mark, for comparison with others: a digest of its
 * entries, and whether its disk is in order. To keep the entries of a moment takes nothing; the
 * rest is done in the background. On the copy's thread.
 */
final class Digests {
  private static final Logger log = LoggerFactory.getLogger(Digests.class);

  /** So many are remembered. */
  static final int REMEMBERED = 8;

  private static final int FLUSH_BYTES = 64 << 10;

  private static final class Digest {
    final List<Consumer<Reply>> waiting = new ArrayList<>();
    Reply.@Nullable Digested result;
  }

  private final Loop loop;
  private final Consumer<Runnable> inbox;
  private final Journal journal;
  private final Snapshots snapshots;
  private final TreeMap<Long, Digest> digests = new TreeMap<>();

  /** Of a copy that has these files; {@code inbox} has tasks run on its thread. */
  Digests(Loop loop, Consumer<Runnable> inbox, Journal journal, Snapshots snapshots) {
    this.loop = loop;
    this.inbox = inbox;
    this.journal = journal;
    this.snapshots = snapshots;
  }

  /** A record has been applied, and made these entries. */
  void applied(LogRecord record, TreePMap<String, Versioned> entries) {
    for (LogRecord.Effect effect : record.effects()) {
      if (effect.key().equals(Contents.MARK)) {
        begin(record.seq(), entries);
        return;
      }
    }
  }

  private void begin(long seq, TreePMap<String, Versioned> entries) {
    Digest digest = new Digest();
    digests.put(seq, digest);
    if (digests.size() > REMEMBERED) {
      forget(digests.pollFirstEntry().getValue());
    }
    loop.background()
        .execute(
            () -> {
              String text = digest(entries);
              String problem = problem("snapshot", this::verifySnapshot);
              verifyJournal(
                  0,
                  found -> {
                    Reply.Digested result = new Reply.Digested(text, problem + found);
                    inbox.accept(() -> found(digest, result));
                  });
            });
  }

  /** File by file: the disk's tasks take turns, and no sync waits until all have been read. */
  private void verifyJournal(long from, Consumer<String> then) {
    try {
      loop.disk()
          .execute(
              () -> {
                AtomicLong next = new AtomicLong();
                String found = problem("journal", () -> next.set(journal.verify(from)));
                if (next.get() == 0) {
                  then.accept(found);
                } else {
                  verifyJournal(next.get(), then);
                }
              });
    } catch (RejectedExecutionException e) {
      log.debug("closed before the journal was verified");
    }
  }

  private static void forget(Digest digest) {
    digest.waiting.forEach(it -> it.accept(new Reply.Digested("", "")));
    digest.waiting.clear();
  }

  private static void found(Digest digest, Reply.Digested result) {
    digest.result = result;
    digest.waiting.forEach(it -> it.accept(result));
    digest.waiting.clear();
  }

  /** Tells what it was at a write, as soon as that is known; now, if it does not know the write. */
  void ask(long seq, Consumer<Reply> then) {
    Digest digest = digests.get(seq);
    if (digest == null) {
      then.accept(new Reply.Digested("", ""));
    } else if (digest.result != null) {
      then.accept(digest.result);
    } else {
      digest.waiting.add(then);
    }
  }

  private interface Check {
    void run() throws IOException;
  }

  private static String problem(String what, Check check) {
    try {
      check.run();
      return "";
    } catch (IOException e) {
      return what + ": " + e.getMessage() + "; ";
    }
  }

  private void verifySnapshot() throws IOException {
    Snapshots.Snapshot latest = snapshots.latest();
    if (latest != null) {
      latest.verify();
    }
  }

  /** SHA-256 of the entries, in hexadecimal. */
  static String digest(TreePMap<String, Versioned> entries) {
    MessageDigest digest = sha256();
    WireWriter out = new WireWriter(2 * FLUSH_BYTES);
    for (Map.Entry<String, Versioned> entry : entries.entrySet()) {
      Versioned it = entry.getValue();
      out.writeString(entry.getKey()).writeVarLong(it.version()).writeBytes(it.value());
      if (out.size() >= FLUSH_BYTES) {
        digest.update(out.array(), 0, out.size());
        out.reset();
      }
    }
    digest.update(out.array(), 0, out.size());
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every platform has it", e);
    }
  }
}
