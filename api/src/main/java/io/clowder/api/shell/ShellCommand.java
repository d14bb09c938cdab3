// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import io.clowder.api.CoordinationException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * One command of the Gogo shell: a picocli command whose class names its options and parameters,
 * and whose {@link #execute} does it. A component with {@code osgi.command.scope} and {@code
 * osgi.command.function} has one public method per function, which calls {@link #run}:
 *
 * <pre>
 *   public String get(String... words) {
 *     return new Get().run(words);
 *   }
 * </pre>
 *
 * {@code --help} and {@code -o table|json} are there for every command. What goes wrong is thrown
 * with a message of one line, so that the shell shows it and a script's exit status tells.
 */
public abstract class ShellCommand {
  /** How long {@link #await} waits; services have their own, shorter limits. */
  private static final Duration WAIT = Duration.ofMinutes(10);

  /** What a command's result looks like. */
  public enum Format {
    /** For people. */
    table,
    /** For scripts. */
    json
  }

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      paramLabel = "table|json",
      description = "How to print the result.")
  private Format format = Format.table;

  /** Does what the options and parameters say; null if there is nothing to show. */
  protected abstract @Nullable Table execute() throws Exception;

  /**
   * What to print for people; the table unless a command has something shorter to say.
   *
   * @param result what {@link #execute} gave
   */
  protected String toText(Table result) {
    return result.toText();
  }

  /** What the result is going to look like; whoever prints before it is there has to know. */
  protected final Format format() {
    return format;
  }

  /**
   * Parses the words and executes.
   *
   * @return what to print
   * @throws IllegalArgumentException with one line that says what is wrong with the words
   */
  public final String run(String... words) throws Exception {
    CommandLine line = new CommandLine(this);
    for (String word : words) {
      // Gogo hands over null for a variable that is not set.
      if (word == null) {
        throw new IllegalArgumentException(
            "a word is missing, perhaps a variable that is not set (try: "
                + line.getCommandName()
                + " --help)");
      }
    }
    line.setCaseInsensitiveEnumValuesAllowed(true);
    try {
      line.parseArgs(words);
    } catch (CommandLine.ParameterException e) {
      String message = e.getMessage().lines().findFirst().orElse("wrong usage");
      throw new IllegalArgumentException(
          message + " (try: " + line.getCommandName() + " --help)", e);
    }
    if (help) {
      return line.getUsageMessage(CommandLine.Help.Ansi.OFF).stripTrailing();
    }
    Table result = execute();
    if (result == null) {
      return format == Format.json ? "[]" : "";
    }
    return format == Format.json ? result.toJson() : toText(result);
  }

  /** The result of a stage; what it failed with, if it did. */
  protected static <T extends @Nullable Object> T await(CompletionStage<T> stage) throws Exception {
    try {
      return stage.toCompletableFuture().get(WAIT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | CompletionException e) {
      if (e.getCause() instanceof CoordinationException failure) {
        throw failure;
      }
      throw e;
    } catch (TimeoutException e) {
      throw new CoordinationException(
          CoordinationException.Reason.TIMEOUT,
          CoordinationException.Outcome.MAY_HAVE_HAPPENED,
          "no answer within " + WAIT.toMinutes() + " minutes",
          e);
    }
  }
}
