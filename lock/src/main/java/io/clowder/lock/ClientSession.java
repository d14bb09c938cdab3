// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.runtime.Timer;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Change;
import io.clowder.lock.LockRequest.Enter;
import io.clowder.lock.LockRequest.Open;
import io.clowder.lock.LockResult.Full;
import io.clowder.lock.LockResult.NotEntered;
import io.clowder.lock.LockResult.NotOpen;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The group, asked in the name of one client; sees to it that the session is this client's. */
final class ClientSession {
  private static final Duration RETRY_MIN = Duration.ofMillis(100);
  private static final int RETRY_DOUBLINGS = 6;

  /** Whose session it is. */
  interface Client {
    /** The lowest request whose Acquire may be on its way. */
    long floor();

    /** The name of a bundle; null if it has stopped. */
    @Nullable String bundle(int number);

    /** The group has answered, or not, to the naming of a bundle. */
    void entered(int bundle);
  }

  /** A result, and the position of its entry. */
  record Answer(long position, LockResult result) {}

  private final ConsensusService consensus;
  private final NodeId node;
  private final Timer timer;
  private final long client;
  private final Duration timeout;
  private volatile boolean closed;

  /**
   * A session that is not open yet.
   *
   * @param client a number that no other client of this node has or will have
   * @param timeout for answers nobody waits for with a deadline of his own
   */
  ClientSession(
      ConsensusService consensus, NodeId node, Timer timer, long client, Duration timeout) {
    if (client == 0) {
      throw new IllegalArgumentException("client 0 means nobody");
    }
    this.consensus = consensus;
    this.node = node;
    this.timer = timer;
    this.client = client;
    this.timeout = timeout;
  }

  long client() {
    return client;
  }

  Duration timeout() {
    return timeout;
  }

  /** Whether what is held in the name of this session is surely still held. */
  boolean isValid(long session) {
    return validNanos(session) > 0;
  }

  /** For how many nanoseconds what is held in the name of this session is surely still held. */
  long validNanos(long session) {
    ConsensusService.Session current = consensus.session();
    return current.id() == session ? current.validNanos(timer.nanoTime(), timer.wallMillis()) : 0;
  }

  /** How long the present session surely lives; 0 if it may have ended. */
  Duration validFor() {
    return Duration.ofNanos(validNanos(consensus.session().id()));
  }

  /** Opens it in the background, which lets go of what earlier clients left in it. */
  void open(Client owner) {
    open(owner, 0);
  }

  private void open(Client owner, int attempts) {
    ask(owner, new Open(0, client, owner.floor(), node), timeout)
        .whenComplete(
            (answer, failure) -> {
              if (failure != null && !closed) {
                timer.after(backOff(attempts), () -> open(owner, attempts + 1));
              }
            });
  }

  /**
   * Has a change applied. If it finds the session another client's, or new, the session is opened
   * first, and its bundle is named; the change was not applied then, and is sent again. Nothing is
   * sent once this is closed.
   *
   * @param deadline from now, for all of it
   */
  CompletionStage<Answer> ask(Client owner, Change change, Duration deadline) {
    return ask(owner, change, timer.nanoTime() + deadline.toNanos());
  }

  private CompletionStage<Answer> ask(Client owner, Change change, long untilNanos) {
    if (closed) {
      return CompletableFuture.failedStage(LockFailure.stopping());
    }
    Duration left = Duration.ofNanos(untilNanos - timer.nanoTime());
    if (left.isNegative() || left.isZero()) {
      return CompletableFuture.failedStage(
          refused(Reason.TIMEOUT, "no answer from the group in time"));
    }
    return consensus
        .submit(change.encode(), left)
        .thenCompose(
            done -> {
              LockResult result = LockResult.decode(done.result());
              if (result instanceof NotOpen notOpen) {
                return after(
                    new Open(notOpen.current(), client, owner.floor(), node),
                    owner,
                    change,
                    untilNanos);
              } else if (result instanceof NotEntered && change instanceof Acquire acquire) {
                String bundle = owner.bundle(acquire.bundle());
                return bundle == null
                    ? CompletableFuture.failedStage(LockFailure.bundleStopped())
                    : after(new Enter(client, acquire.bundle(), bundle), owner, change, untilNanos)
                        .whenComplete((answer, failure) -> owner.entered(acquire.bundle()));
              }
              return CompletableFuture.completedStage(new Answer(done.position(), result));
            });
  }

  private CompletionStage<Answer> after(
      Change first, Client owner, Change change, long untilNanos) {
    return ask(owner, first, untilNanos)
        .thenCompose(
            answer ->
                answer.result() instanceof Full
                    ? CompletableFuture.completedStage(answer)
                    : ask(owner, change, untilNanos));
  }

  /** How long to wait after so many failures. */
  Duration backOff(int attempts) {
    return RETRY_MIN.multipliedBy(1L << Math.min(attempts, RETRY_DOUBLINGS));
  }

  /**
   * Tries to let go of everything. If the group does not hear of it, the next client to open the
   * session does it, or the session's end.
   */
  CompletionStage<?> close() {
    closed = true;
    return consensus.submit(new Open(client, 0, 1, node).encode(), timeout);
  }
}
