// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Reads lines, from a person or from a file, and runs each on a node. */
final class InteractiveShell {
  private static final Duration COMPLETION_TIME = Duration.ofSeconds(2);

  private final LocalNode node;
  private final Path history;

  InteractiveShell(LocalNode node, Path history) {
    this.node = node;
    this.history = history;
  }

  /** Whether both ends of this process are a terminal; the script that started it has looked. */
  static boolean onTerminal() {
    return Boolean.getBoolean("clowder.terminal");
  }

  /**
   * Runs until {@code exit} or the end of the input.
   *
   * @return the exit status: of a file of commands, 1 if any failed
   */
  int run() throws IOException {
    return onTerminal() ? converse() : readInput();
  }

  private int readInput() throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
    int worst = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (isExit(line)) {
        break;
      }
      if (!line.isBlank()) {
        worst =
            Math.max(worst, node.shell().run(line, System.out, System.err, ShellClient.PATIENCE));
      }
    }
    return worst;
  }

  private int converse() throws IOException {
    try (Terminal terminal = TerminalBuilder.builder().system(true).dumb(true).build()) {
      LineReader reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .completer(new StringsCompleter(commands()))
              .variable(LineReader.HISTORY_FILE, history)
              // Gogo has its own meaning for "!".
              .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
              .build();
      while (true) {
        String line;
        try {
          line = reader.readLine(node.id() + "> ");
        } catch (UserInterruptException e) {
          continue;
        } catch (EndOfFileException e) {
          return 0;
        }
        if (isExit(line)) {
          return 0;
        }
        if (!line.isBlank()) {
          runOne(line);
        }
      }
    }
  }

  /** A node that is not there is no reason to leave: it may come back. */
  private void runOne(String line) {
    try {
      node.shell().run(line, System.out, System.err, ShellClient.PATIENCE);
    } catch (IOException e) {
      System.err.println(node.id() + " does not answer: " + FileProblem.sentence(e));
    }
  }

  private List<String> commands() {
    try {
      ShellClient.Answer answer =
          node.shell().call("each $.commands { echo $it }", COMPLETION_TIME);
      return answer.status() == 0 ? answer.out().lines().toList() : List.of();
    } catch (IOException e) {
      // Completion is a convenience.
      return List.of();
    }
  }

  private static boolean isExit(String line) {
    return line.strip().equals("exit") || line.strip().equals("quit");
  }
}
