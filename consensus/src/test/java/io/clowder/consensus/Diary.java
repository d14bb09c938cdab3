// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.text;

import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A machine that writes down what it is told: {@code position:command}, or {@code position-session}
 * for the end of one. Throws on {@code fail}; gives as much as wanted on {@code size N}.
 */
final class Diary implements StateMachine {
  private final StringBuilder lines = new StringBuilder();

  /** The time of the last entry. */
  long timeMillis;

  /** How often the state was replaced. */
  int restored;

  /** Completes when this machine is ready for a pause. */
  CompletableFuture<@Nullable Void> isReady = CompletableFuture.completedFuture(null);

  int paused;
  int resumed;

  @Override
  public byte[] apply(Entry entry) {
    timeMillis = entry.timeMillis();
    if (entry.kind() == Entry.Kind.SESSION_ENDED) {
      lines.append(entry.position()).append('-').append(entry.session()).append(' ');
      return new byte[0];
    }
    String command = text(entry.command());
    lines.append(entry.position()).append(':').append(command).append(' ');
    return command.equals("fail") || command.startsWith("size ")
        ? query(entry.command())
        : bytes("did " + command);
  }

  @Override
  public byte[] query(byte[] query) {
    String text = text(query);
    if (text.equals("fail")) {
      throw new IllegalStateException("failed as told");
    }
    if (text.startsWith("size ")) {
      return new byte[Integer.parseInt(text.substring(5))];
    }
    if (!text.equals("all")) {
      throw new IllegalArgumentException("what is '" + text + "'?");
    }
    return bytes(lines());
  }

  @Override
  public Snapshot snapshot() {
    String captured = lines();
    return out -> out.write(bytes(captured));
  }

  @Override
  public void restore(InputStream in) throws IOException {
    lines.setLength(0);
    lines.append(text(in.readAllBytes()));
    restored++;
  }

  @Override
  public CompletionStage<@Nullable Void> pause() {
    paused++;
    return isReady;
  }

  @Override
  public void resume() {
    resumed++;
  }

  String lines() {
    return lines.toString();
  }
}
