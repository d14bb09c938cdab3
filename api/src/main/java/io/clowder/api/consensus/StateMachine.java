// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A deterministic machine that is replicated: the same entries in the same order give the same
 * state and the same results on every node. Registered as a service with {@link #GROUP} and {@link
 * #MACHINE}.
 *
 * <p>One thread at a time calls a machine, and changes to its state are visible to the next call.
 * {@code apply} and {@code query} run on the thread that owns the group's replica: they must be
 * quick, and must not wait.
 */
@ConsumerType
public interface StateMachine {
  /** Service property: the consensus group, {@code main} by default. */
  String GROUP = "consensus.group";

  /**
   * Service property: the machine's name, unique in its group; part of the log and of snapshots.
   */
  String MACHINE = "machine";

  /**
   * Applies one entry. No clock, no chance, no I/O: time is the entry's. Whoever changes what an
   * entry does must make the new behaviour depend on an entry, so that mixed versions never
   * diverge.
   *
   * <p>An exception becomes the command's failure, the same on every node; state changed before it
   * stays changed, so check first and change after.
   *
   * @return the result for the submitter; ignored for {@link Entry.Kind#SESSION_ENDED}
   */
  byte[] apply(Entry entry);

  /**
   * Answers from the present state and changes nothing. An {@link IllegalArgumentException} says
   * that the query makes no sense.
   */
  byte[] query(byte[] query);

  /**
   * Captures the present state, quickly: writing it out happens later, while {@code apply} goes on.
   */
  Snapshot snapshot();

  /**
   * Replaces the whole state by what {@link #snapshot} wrote; an empty stream means the initial
   * state. Called once before the first entry, and again when this replica was left behind.
   */
  void restore(InputStream in) throws IOException;

  /**
   * No entries will come for a while: the bundle of the group's protocol is being stopped on this
   * node, and the machine stays. Until the stage completes, but for a second at most, what is
   * submitted here is still answered: time to tell the others not to count on this node. Called
   * like {@code apply}; the stage may complete on any thread.
   */
  default CompletionStage<@Nullable Void> pause() {
    return CompletableFuture.completedStage(null);
  }

  /** Entries come again after {@link #pause}. Called like {@code apply}. */
  default void resume() {}

  /** The state as of one position, not changed by later entries. */
  @ConsumerType
  interface Snapshot {
    /** Writes the state; equal states give equal bytes. Called at most once, on another thread. */
    void writeTo(OutputStream out) throws IOException;
  }
}
