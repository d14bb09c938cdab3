// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.lock.LockResult.Full;
import io.clowder.lock.LockResult.OtherKind;
import io.clowder.lock.LockResult.Refused;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** What callers are told when it did not work. */
final class LockFailure {
  private LockFailure() {}

  static CoordinationException stopping() {
    return refused(Reason.UNAVAILABLE, "the lock service of this node is stopping");
  }

  static CoordinationException tooMany() {
    return refused(
        Reason.OVERLOADED,
        "%d requests for locks on this node already".formatted(Limits.PENDING_REQUESTS));
  }

  static CoordinationException sessionEnded(String name) {
    return refused(
        Reason.SESSION_EXPIRED, "this node's session ended before it was given lock " + name);
  }

  static CoordinationException releasedByAnother(String name) {
    return refused(Reason.CONFLICT, "lock " + name + " was given and released again by another");
  }

  static CoordinationException taken(String name) {
    return refused(Reason.TIMEOUT, "lock " + name + " was not free in time");
  }

  static CoordinationException unanswered(String name) {
    return refused(
        Reason.TIMEOUT,
        "no answer from the group in time; the request for lock " + name + " is withdrawn");
  }

  /** The request is being cancelled: whatever became of its Acquire, nobody is given the lock. */
  static CoordinationException withdrawn(String name, CoordinationException cause) {
    return cause.reason() == Reason.TIMEOUT
        ? unanswered(name)
        : new CoordinationException(
            cause.reason(), Outcome.DID_NOT_HAPPEN, cause.getMessage(), cause);
  }

  static CoordinationException bundleStopped() {
    return refused(
        Reason.UNAVAILABLE,
        "the bundle that got this lock service was stopped, or gave it back; get it anew");
  }

  static CoordinationException ownerWaits(Claim claim) {
    return refused(
        Reason.CONFLICT,
        "owner %s waits for lock %s already".formatted(claim.owner(), claim.name()));
  }

  static CoordinationException ownerHolds(Claim claim, Claim.Mode mode) {
    return refused(
        Reason.CONFLICT,
        "owner %s holds lock %s in another way, %s, and would wait for itself: release it first"
            .formatted(claim.owner(), claim.name(), mode));
  }

  /** The group refused to queue or grant a request. */
  static CoordinationException refusal(Claim claim, LockResult result) {
    String name = claim.name();
    if (result instanceof Full full) {
      return refused(
          Reason.OVERLOADED,
          switch (full.what()) {
            case WAITERS -> "as many wait for lock %s already as may".formatted(name);
            case LOCKS -> "%d locks are in use already".formatted(Limits.LOCKS);
            case BUNDLES ->
                "%d bundles of this node use locks already".formatted(LockState.BUNDLES_MAX);
          });
    } else if (result instanceof OtherKind other) {
      return refused(
          Reason.CONFLICT,
          other.permits() == 0
              ? "lock %s is in use, and is no semaphore".formatted(name)
              : "lock %s is in use as a semaphore of %d permits".formatted(name, other.permits()));
    } else if (result instanceof LockResult.Cancelled) {
      return stopping();
    }
    return cause(new AssertionError("Acquire answered by " + result));
  }

  /** The group refused to release. */
  static CoordinationException wrongToken(String name, long token, Refused result) {
    return refused(
        Reason.CONFLICT,
        result.token() == 0
            ? "lock %s was never held with token %d".formatted(name, token)
            : "lock %s is held with token %d, not %d".formatted(name, result.token(), token));
  }

  static CoordinationException nobodyWaits(String name, NodeId node) {
    return refused(Reason.CONFLICT, "nobody on %s waits for lock %s".formatted(node, name));
  }

  static CoordinationException stale(String resource, long token, long last) {
    return refused(
        Reason.CONFLICT,
        "token %d is stale: resource %s has seen %d".formatted(token, resource, last));
  }

  /** What the group failed with; anything else is a fault, with an unknown outcome. */
  static CoordinationException cause(@Nullable Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof CoordinationException known) {
      return known;
    }
    Throwable fault = cause == null ? new AssertionError("neither answer nor failure") : cause;
    return new CoordinationException(
        Reason.UNAVAILABLE, Outcome.MAY_HAVE_HAPPENED, "the lock service failed: " + fault, fault);
  }
}
