// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import io.clowder.api.NodeId;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What an operator does to a store; a service beside each {@link ReplicatedStore}, with the same
 * properties. Thread-safe; from any node that has the store's configuration. Fails with {@code
 * INVALID} or {@code CONFLICT} where it makes no sense or may lose something; nothing has happened
 * then.
 */
@ProviderType
public interface StoreAdmin {
  /**
   * Makes an in-sync backup the primary. No write is lost, and none fails: those that come
   * meanwhile wait. Completes when it is.
   *
   * @param to null for any
   */
  CompletionStage<StoreStatus> switchover(@Nullable NodeId to);

  /**
   * Takes a node's copy for failed, though nobody suspects it: it is not in sync any more, and is
   * not the primary. It catches up and comes back by itself if it is well. Fails if no other copy
   * has all that was acknowledged.
   */
  CompletionStage<StoreStatus> fail(NodeId node);

  /** Lets a node have a copy, beyond {@code replicas} or after it was removed. */
  CompletionStage<StoreStatus> add(NodeId node);

  /**
   * Takes a node's copy away, for good. Fails if it is the primary's, or too few would be in sync.
   */
  CompletionStage<StoreStatus> remove(NodeId node);

  /**
   * Compares the copies at one write, and what is on each one's disk with its checksums.
   *
   * @param isRepairing whether a copy that is damaged, or another than most, is given up and made
   *     anew from the primary's
   */
  CompletionStage<List<Verification>> verify(boolean isRepairing);

  /** What {@link #forcePromote} of a node would do, and what may be lost by it: changes nothing. */
  CompletionStage<LossReport> forecast(NodeId node);

  /**
   * The last resort, when nobody who has all that was acknowledged comes back: makes a copy the
   * primary that may lack some of it. The former primary must be down for certain.
   *
   * @param consent of a {@link #forecast} that still holds; fails with {@code CONFLICT} otherwise
   */
  CompletionStage<StoreStatus> forcePromote(NodeId node, String consent);

  /** The last records of this node's log, oldest first. */
  List<LogLine> log(int count);

  /**
   * A copy as it was found.
   *
   * @param seq the write at which the copies were compared
   * @param digest of its entries then, in hexadecimal; empty if it did not say in time
   * @param problem what is wrong with it; empty if nothing is
   * @param isRepaired whether it is made anew
   */
  record Verification(NodeId node, long seq, String digest, String problem, boolean isRepaired) {}

  /**
   * What a forced promotion may lose.
   *
   * @param node who would be the primary
   * @param epoch of the last record that it has
   * @param end last record that it has
   * @param lastKnown the largest number of a write known to anybody who answered; what comes after
   *     {@code end} would be lost
   * @param lines for people, what is known and what is not
   * @param consent what {@link #forcePromote} wants
   */
  record LossReport(
      NodeId node, long epoch, long end, long lastKnown, List<String> lines, String consent) {}

  /**
   * A record of the log.
   *
   * @param isCommitted whether it is applied
   * @param what it does, for people
   */
  record LogLine(long seq, long epoch, boolean isCommitted, long bytes, String what) {}
}
