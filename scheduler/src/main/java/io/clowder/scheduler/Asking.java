// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Commands and questions with their answers. */
final class Asking {
  private final ConsensusService consensus;
  private final Duration timeout;

  Asking(ConsensusService consensus, Duration timeout) {
    this.consensus = consensus;
    this.timeout = timeout;
  }

  /** Within which answers come, or failures. */
  Duration timeout() {
    return timeout;
  }

  /** Has a command applied; fails with {@code reason} if it is refused. */
  <T extends TaskAnswer> CompletionStage<T> change(
      TaskCommand command, Class<T> answer, Reason reason) {
    return consensus
        .submit(command.encode(), timeout)
        .thenApply(
            done -> {
              TaskAnswer its = TaskAnswer.decode(done.result());
              if (its instanceof TaskAnswer.Refused refused) {
                throw CoordinationException.refused(reason, refused.why());
              }
              return answer.cast(its);
            });
  }

  CompletionStage<Boolean> change(TaskCommand command) {
    return change(command, TaskAnswer.Is.class, Reason.OVERLOADED).thenApply(TaskAnswer.Is::it);
  }

  <T extends TaskAnswer> CompletionStage<T> ask(
      TaskQuestion question, ReadConsistency consistency, Class<T> answer) {
    return consensus
        .query(question.encode(), consistency, timeout)
        .thenApply(bytes -> answer.cast(TaskAnswer.decode(bytes)));
  }

  <T extends TaskAnswer> CompletionStage<T> ask(TaskQuestion question, Class<T> answer) {
    return ask(question, ReadConsistency.LINEARIZABLE, answer);
  }

  /** What is behind a stage's failure, as users are told. */
  static CoordinationException cause(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof CoordinationException known
        ? known
        : new CoordinationException(
            Reason.UNAVAILABLE, Outcome.MAY_HAVE_HAPPENED, "the scheduler failed: " + cause, cause);
  }
}
