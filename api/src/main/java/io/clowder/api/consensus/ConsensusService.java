// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

import io.clowder.api.NodeId;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The replicated log seen from one state machine; a service with the properties {@link
 * StateMachine#GROUP}, {@link StateMachine#MACHINE} and {@code consensus.protocol}. It stays
 * registered while the protocol's bundle is away, or no quorum is there: requests then wait, up to
 * their deadline.
 *
 * <p>Thread-safe. Stages complete on a thread of the runtime that is not the replica's; whoever
 * waits on it, or computes for long, delays the completions of others. All failures are {@link
 * io.clowder.api.CoordinationException}; a stage that depends on another sees it as the cause of a
 * {@link java.util.concurrent.CompletionException}, as always.
 */
@ProviderType
public interface ConsensusService {
  /** The OSGi filter that finds the service of one machine: for a tracker or a target. */
  static String filter(String group, String machine) {
    return "(&(objectClass=%s)(%s=%s)(%s=%s))"
        .formatted(
            ConsensusService.class.getName(),
            StateMachine.GROUP,
            group,
            StateMachine.MACHINE,
            machine);
  }

  /**
   * Has the command applied to the machine on every node, exactly once, whatever is lost, retried
   * or restarted in between. Completes when this node has applied it.
   *
   * <p>Fails with {@code TIMEOUT} and {@code MAY_HAVE_HAPPENED} if the deadline passes first;
   * {@code OVERLOADED} and {@code TOO_LARGE} say that it did not happen.
   *
   * @param command at most {@link io.clowder.api.Limits#COMMAND_BYTES}; must not be changed any
   *     more
   * @param deadline from now
   */
  CompletionStage<Committed> submit(byte[] command, Duration deadline);

  /**
   * Asks the machine of this node, once its state is as recent as {@code consistency} says.
   *
   * @param deadline from now
   */
  CompletionStage<byte[]> query(byte[] query, ReadConsistency consistency, Duration deadline);

  /**
   * Has the group go on in a next segment while it serves: another protocol, other members, or the
   * same again (Lamport, Malkhi and Zhou, "Reconfiguring a State Machine", 2010, with stoppable
   * machines; Balakrishnan et al., "Virtual Consensus in Delos", OSDI 2020). Nothing that was
   * acknowledged is lost or reordered, what is under way is done once, sessions and whatever they
   * hold go on.
   *
   * <p>Fails with {@code INVALID} if the successor makes no sense, {@code UNAVAILABLE} if the nodes
   * that are named lack what it needs or were not ready in time, {@code CONFLICT} if another swap
   * runs; nothing has happened then. {@code TIMEOUT} says that it may still happen, or be
   * abandoned.
   *
   * @param progress told of each stage, a line for people; on a thread of the runtime
   * @param deadline from now; the stand-by that is not ready after three quarters of it is
   *     abandoned
   */
  CompletionStage<Swap> swap(Successor successor, Consumer<String> progress, Duration deadline);

  /** The session in whose name this node submits. */
  Session session();

  /** Who leads the group, as far as this node knows; null if it knows nobody. Does not wait. */
  @Nullable NodeId leader();

  /**
   * What this node knows of the group. Waits for the group's thread, a second at most.
   *
   * @throws io.clowder.api.CoordinationException {@code UNAVAILABLE} if it is busy for longer
   */
  GroupStatus status();

  /**
   * A node's session as its owner sees it. The runtime renews it; when the group has not heard of
   * the owner for the session's time, an entry ends it, {@link Entry.Kind#SESSION_ENDED}, and the
   * owner goes on under a new one.
   *
   * @param id the session, 0 if there is none yet
   * @param validUntilNanos until when, by this node's {@link System#nanoTime}, no other node can
   *     have seen it end: counted from the sending of the last renewal that was confirmed, less a
   *     margin for drift. Meaningless if {@code id} is 0
   * @param validUntilMillis the same by this node's {@link System#currentTimeMillis}: the monotonic
   *     clock may stand still while a machine is suspended
   */
  record Session(long id, long validUntilNanos, long validUntilMillis) {
    /** No session. */
    public static final Session NONE = new Session(0, 0, 0);

    /** For how many nanoseconds it surely lives; not positive if it may have ended. */
    public long validNanos(long nowNanos, long nowMillis) {
      return id == 0
          ? 0
          : Math.min(validUntilNanos - nowNanos, (validUntilMillis - nowMillis) * 1_000_000L);
    }

    /** Whether the session surely lives. */
    public boolean isValid(long nowNanos, long nowMillis) {
      return validNanos(nowNanos, nowMillis) > 0;
    }
  }
}
